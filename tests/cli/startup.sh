#!/bin/bash
# What the program loads when it starts, what it opens later, and what it says where that can't be opened.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a b=$TMP_TEST/b
toy "$a"
object=libdarknet-meta-opencv.so

# ldd lists the libraries that are linked, and those that they are linked to.
program=$DARKNET_DIR/darknet
check 'the program is not linked to OpenCV, nor to libdarknet' sh -c "! ldd '$program' | grep -E 'libopencv|libdarknet'"
check 'the program is linked to fewer than 25 libraries' test "$(ldd "$program" | wc -l)" -lt 25
check 'libdarknet-meta.so is not linked to OpenCV' sh -c "! ldd '$DARKNET_DIR/libdarknet-meta.so' | grep libopencv"
for function in parse_network_cfg resize_network; do check "libdarknet, once opened, calls $function of the program" sh -c "nm -D --defined-only '$program' | grep -q ' $function$'"; done

# A copy of the program with its plugins, but without the object for OpenCV
mkdir -p "$b"
cp "$program" "$b"
cp -r "$DARKNET_DIR/plugins" "$b"
if [ "$TEST_VARIANT" = valgrind ]; then copy=("$(dirname "$DARKNET_BIN")/run" "$b/darknet"); else copy=("$b/darknet"); fi
train() { "${copy[@]}" meta train "$a/toy.data" "$a/toy.cfg" -seed 3 -valid_every 0 -threads 2 2>&1 >/dev/null | tail -n 1 >&2; return "${PIPESTATUS[0]}"; }
rest="make builds it, the package libopencv-dev brings the libraries it needs$"
expect_output '^\[meta_loss\]' "${copy[@]}" meta help meta_loss
expect_error "^darknet: .*\.pgm: $b/$object: can't be loaded: cannot open shared object file: No such file or directory: $rest" train
said() { "${copy[@]}" meta doctor "$a/toy.data" "$a/toy.cfg" >"$TMP_TEST/said" 2>&1; grep -E "$1" "$TMP_TEST/said" || { cat "$TMP_TEST/said"; return 1; }; }
check 'meta doctor says that the object for OpenCV can not be loaded' said "^wrong +OpenCV +$b/$object: can't be loaded: cannot open"
echo damaged >"$b/$object"
expect_error "^darknet: .*\.pgm: $b/$object: can't be loaded: (file too short|invalid ELF header): $rest" train
cc=${CC:-gcc}
echo 'int meta_nothing;' >"$TMP_TEST/nothing.c"
check 'an object of another build is compiled' $cc -shared -fPIC "$TMP_TEST/nothing.c" -o "$b/$object"
expect_error "^darknet: .*\.pgm: $object: has no meta_image_opencv: it is of another build than this program$" train
check 'an object that needs a missing library is compiled' sh -c "cd '$TMP_TEST' && $cc -shared -fPIC nothing.c -Wl,-soname,libaway.so.1 -o libaway.so &&
    $cc -shared -fPIC nothing.c -Wl,--no-as-needed -L. -laway -o '$b/$object'"
expect_error "^darknet: .*\.pgm: $b/$object: can't be loaded: libaway.so.1: cannot open shared object file: No such file or directory: $rest" train
cp "$DARKNET_DIR/$object" "$b/$object"
check 'the program trains with the object for OpenCV beside it' train

# Only commands that need libdarknet open it.
mkdir "$TMP_TEST/bad"
echo damaged >"$TMP_TEST/bad/libdarknet.so"
bad=(env "LD_LIBRARY_PATH=$TMP_TEST/bad")
expect_output '^\[meta_loss\]' "${bad[@]}" "$DARKNET_BIN" meta help meta_loss
check 'meta doctor says what is wrong with libdarknet' sh -c "LD_LIBRARY_PATH='$TMP_TEST/bad' '$DARKNET_BIN' meta doctor '$a/toy.data' '$a/toy.cfg' 2>&1 |
    grep -E '^wrong +libdarknet +libdarknet\.so: can.t be loaded: .*/bad/libdarknet\.so: (file too short|invalid ELF header): install the package darknet$'"
expect_output "^Stock libdarknet is not timed beside it: .*libdarknet\.so: can't be loaded: .*/bad/libdarknet\.so: " \
    "${bad[@]}" "$DARKNET_BIN" meta bench "$a/toy.cfg" -threads 1 -seconds 0.01

# The stock program is found beside the library without opening it.
printf '#!/bin/sh\necho beside "$@"\n' >"$TMP_TEST/bad/darknet"
chmod +x "$TMP_TEST/bad/darknet"
expect_output '^beside classifier$' "${bad[@]}" "$DARKNET_BIN" classifier

# The mode of the main thread when it ends, and of the threads when they start: FTZ and DAZ on, no exception unmasked
[ "$TEST_VARIANT" = release ] || { skip 'the floating-point mode of the program and its threads' 'a preloaded object stands in the way of the checking tool'; exit; }
cat >"$TMP_TEST/mode.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>
static void say(const char *who)
{
    extern char *program_invocation_short_name;
    FILE *f = strcmp(program_invocation_short_name, "darknet") ? NULL : fopen(getenv("MODES"), "a");
    if (!f) return;
    fprintf(f, "%s %04x\n", who, _mm_getcsr() & 0xffc0);
    fclose(f);
}
struct start { void *(*run)(void *); void *argument; };
static void *run(void *context)
{
    struct start start = *(struct start *)context;
    free(context);
    say("thread");
    return start.run(start.argument);
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    struct start *start = malloc(sizeof *start);
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    *start = (struct start){ function, argument };
    return next(thread, attributes, run, start);
}
__attribute__((destructor)) static void end(void) { say("main"); }
END
check 'an object that records the floating-point mode is compiled' $cc -shared -fPIC "$TMP_TEST/mode.c" -o "$TMP_TEST/mode.so" -ldl
modes() { rm -f "$TMP_TEST/modes"; MODES=$TMP_TEST/modes LD_PRELOAD=$TMP_TEST/mode.so "$DARKNET_BIN" "$@" >/dev/null 2>&1; sort -u "$TMP_TEST/modes" | tr '\n' ' '; }
check 'meta help runs with FTZ and DAZ on' test "$(modes meta help)" = 'main 9fc0 '
check 'meta train and its threads run with FTZ and DAZ on' \
    test "$(modes meta train "$a/toy.data" "$a/toy.cfg" -seed 3 -valid_every 0 -threads 2)" = 'main 9fc0 thread 9fc0 '
