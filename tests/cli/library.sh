#!/bin/bash
# make install into a folder, and what runs from there: the program, the library in programs of
# others, the completion, the manual
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a root=$TMP_TEST/root at=$TMP_TEST/root/opt/dm
toy "$a"
# With -o make takes what is built as it is: the switches of that build are not known here.
installing() { make --no-print-directory -o all "$1" BUILD="$BUILD" BIN="$DARKNET_DIR" DESTDIR="$2" PREFIX="$3"; }

check 'make install runs' installing install "$root" /opt/dm
check 'make install brings programs, libraries, headers, manuals and configurations' sh -c "cd '$at' && test -x bin/darknet &&
    ls lib/darknet-meta/plugins/episode.so lib/darknet-meta/libdarknet-meta-host.so lib/darknet-meta/libdarknet-meta-opencv.so lib/darknet-meta/libdarknet-meta-codecs.so lib/darknet-meta/darknet-meta-decoder lib/libdarknet-meta.so lib/libdarknet-meta.so.1 include/darknet_meta.h \
    lib/pkgconfig/darknet-meta.pc share/man/man1/darknet-meta.1 share/man/man3/libdarknet-meta.3 share/bash-completion/completions/darknet \
    share/darknet-meta/cfg/daml-4conv.cfg share/darknet-meta/cfg/ablation share/darknet-meta/example.c include/darknet-meta/plugin.h lib/python3*/dist-packages/darknet_meta.py \
    share/darknet-meta/plugins/template/template.c share/darknet-meta/data/weights/daml-4conv.weights share/darknet-meta/data/weights/daml-4conv.temperature && test -x share/darknet-meta/scripts/isic2018.sh"
# A stranger's plugin begins as a copy of the installed template, which finds the installed plugin.h.
cp -r "$at/share/darknet-meta/plugins/template" "$TMP_TEST/mine"
check 'a copy of the installed template is built' env PKG_CONFIG_PATH="$at/lib/pkgconfig" make -s -C "$TMP_TEST/mine"
check 'the installed program takes it' sh -c "DARKNET_PLUGIN_PATH='$TMP_TEST/mine' '$at/bin/darknet' meta help swish | grep -q '^\[swish\]'"
check 'no installed file names the folder it was installed in' sh -c "! grep -rqs '$root' '$at'"
check 'man warns of nothing in the installed libdarknet-meta.3' sh -c "! command -v man >/dev/null || ! LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 '$at/share/man/man3/libdarknet-meta.3' 2>&1 >/dev/null | grep ."

# The installed program runs with nothing of the source's folder in reach.
if [ "$TEST_VARIANT" = valgrind ]; then installed=("$(dirname "$DARKNET_BIN")/run" "$at/bin/darknet"); else installed=("$at/bin/darknet"); fi
cd "$TMP_TEST" || exit 1
source=$OLDPWD
expect_output '^\[meta_loss\]' "${installed[@]}" meta help meta_loss
check 'the installed program has the installed plugins' sh -c "'$at/bin/darknet' meta help meta_loss net | grep -qF 'plugin $(realpath "$at")/lib/darknet-meta/plugins/meta_loss.so'"
check 'the installed program trains' "${installed[@]}" meta train "$a/toy.data" "$a/toy.cfg" -name toy -seed 3 -valid_every 0
weights=$a/backup/toy_final.weights
check 'an installed tree that is moved explains its options and trains' sh -c "mv '$at' '$TMP_TEST/moved' && '$TMP_TEST/moved/bin/darknet' meta help episode >/dev/null &&
    '$TMP_TEST/moved/bin/darknet' meta train '$a/toy.data' '$a/toy.cfg' -name toy -seed 3 -valid_every 0; s=\$?; mv '$TMP_TEST/moved' '$at'; exit \$s"
if [ "$TEST_VARIANT" = release ]; then
    stock=$(libdarknet_of "$at/bin/darknet")
    printf 'import ctypes\nlib = ctypes.CDLL("%s")\nlib.load_network.restype = ctypes.c_void_p\nassert lib.load_network(b"%s", b"%s", 0)\nprint("loaded")\n' \
        "$stock" "$a/toy.cfg" "$weights" >load.py
    expect_output '^loaded$' env "LD_PRELOAD=$at/lib/darknet-meta/libdarknet-meta-host.so" /usr/bin/python3 load.py
fi
if [ "$TEST_VARIANT" = release ] && /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    expect_output "$(realpath "$at")/lib/python3[.0-9]*/dist-packages/darknet_meta.py $(realpath "$at")/lib/libdarknet-meta.so.1" env "PYTHONPATH=$(echo "$at"/lib/python3*/dist-packages)" \
        /usr/bin/python3 -c 'import darknet_meta; print(darknet_meta.__file__, darknet_meta._lib()._name, darknet_meta.version())'
else skip 'the installed Python module finds the installed library' 'there is no NumPy for /usr/bin/python3, or this is not the release build'; fi

# The library exports what the header declares, and nothing else.
functions=$(sed -n 's/^DARKNET_META_API .*\(darknet_meta_[a-z_]*\)(.*/\1/p' "$source/src/adaptation/darknet_meta.h" | sort)
check "libdarknet-meta.so exports the $(wc -w <<<"$functions") functions of its header alone" \
    test "$(nm -D --defined-only "$at/lib/libdarknet-meta.so" | sed 's/@.*//' | awk '$2 != "A" { print $3 }' | grep -v '^__[a-z]*san' | sort)" = "$functions"
check 'libdarknet-meta.so is not linked to libdarknet' sh -c "! readelf -d '$at/lib/libdarknet-meta.so' | grep -q 'NEEDED.*darknet'"
check 'darknet_meta.h includes no other header' sh -c "! grep -E '^#include' '$at/include/darknet_meta.h'"
soname=$(readelf -d "$at/lib/libdarknet-meta.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
check "the soname of libdarknet-meta.so has the major version: $soname" test "$soname" = "libdarknet-meta.so.$(awk '/define DARKNET_META_VERSION_MAJOR/ { print $3 }' "$at/include/darknet_meta.h")" -a -e "$at/lib/$soname"
check 'libdarknet-meta.3 names every function' test -z "$(for f in $functions; do grep -q "$f" "$at/share/man/man3/libdarknet-meta.3" || echo $f; done)"

# Programs of others are built with the flags of pkg-config alone.
export PKG_CONFIG_PATH=$at/lib/pkgconfig LD_LIBRARY_PATH=$at/lib
case $TEST_VARIANT in asan) sanitize=-fsanitize=address ;; ubsan) sanitize=-fsanitize=undefined ;; tsan) sanitize=-fsanitize=thread ;; *) sanitize= ;; esac
cc=${CC:-gcc} flags=$(pkg-config --cflags --libs darknet-meta)
check 'pkg-config knows the version of darknet_meta.h' test "$(pkg-config --modversion darknet-meta)" = "$(awk '/define DARKNET_META_VERSION_(MAJOR|MINOR|PATCH) / { printf "%s%s", n++ ? "." : "", $3 }' "$at/include/darknet_meta.h")"
check 'meta version prints the version that pkg-config knows' test "$("${installed[@]}" meta version)" = "darknet-meta $(pkg-config --modversion darknet-meta)"
check 'a C99 program compiles with the flags of pkg-config' $cc -std=c99 -Wall -Wextra -Werror -g $sanitize "$source/tests/outside.c" -o outside $flags -lpthread -lm
check 'a C++ program compiles with the flags of pkg-config and runs' sh -c "printf '#include <darknet_meta.h>\nint main() { return darknet_meta_version() < 1000; }\n' >cxx.cpp &&
    ${CXX:-g++} -Wall -Werror $sanitize cxx.cpp -o cxx $flags && ./cxx"
if [ "$TEST_VARIANT" = valgrind ]; then under=("$(dirname "$DARKNET_BIN")/run"); else under=(); fi
adaptations=1000
case $TEST_VARIANT in tsan|ubsan) adaptations=200 ;; valgrind) adaptations=20 ;; esac
# The address sanitizer keeps freed memory for a while, so that there its own count of leaks
# decides.
sed -n 's/^ok - //p' <(${under[@]+"${under[@]}"} ./outside "$a/toy.cfg" "$weights" $adaptations >said 2>&1; echo $? >status; cat said) >cases
while read -r case; do
    if [[ $TEST_VARIANT != release && $case == *'no more memory'* ]]; then continue; fi
    test_passed "outside: $case"
done <cases
if [ "$TEST_VARIANT" = release ]; then check 'outside: the program exits with 0' test "$(cat status)" -eq 0 || cat said
else check 'outside: no case fails' test "$(grep -c '^not ok' said)" -eq "$(grep -c '^not ok.*no more memory' said)" || cat said; fi
check 'outside: every case runs' test "$(wc -l <said)" -ge 30 || cat said

# Misuse is an error by value, and two models serve two threads.
sed 's/^filters=4/filters=6/' "$a/toy.cfg" >other.cfg
check 'another network is trained' "${installed[@]}" meta train "$a/toy.data" other.cfg -name other -max_batches 1 -valid_every 0
check 'a program that misuses the library compiles' $cc -std=c99 -Wall -Wextra -Werror -g $sanitize "$source/tests/misuse.c" -o misuse $flags -lpthread -lm
${under[@]+"${under[@]}"} ./misuse "$a/toy.cfg" "$weights" other.cfg "$a/backup/other_final.weights" "$TMP_TEST" >said 2>&1
echo $? >status
while IFS= read -r case; do test_passed "${case#ok - }"; done < <(grep '^ok - ' said)
check 'misuse: the program exits with 0, and says nothing else' test "$(cat status)" -eq 0 -a -z "$(grep -v '^ok - ' said)" || cat said
check 'misuse: every case runs' test "$(wc -l <said)" -ge 113 || cat said

# The library in a program whose language writes numbers with a comma
cat >comma.c <<'END'
#include <darknet_meta.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    darknet_meta_model *model;
    darknet_meta_classifier *classifier, *again;
    darknet_meta_error error;
    float pixels[2][144];
    darknet_meta_image images[2];
    int labels[] = { 0, 1 };
    char number[16];
    memset(images, 0, sizeof images);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 144; k++) pixels[i][k] = (k * (i + 3) % 11) / 11.f;
        images[i].pixels = pixels[i];
        images[i].kind = DARKNET_META_FLOATS;
        images[i].width = images[i].height = 12;
        images[i].channels = 1;
    }
    if (argc != 4 || !setlocale(LC_ALL, "")) return 2;
    snprintf(number, sizeof number, "%.1f", .5);
    if (strcmp(number, "0,5")) return 3;
    if (darknet_meta_load(&model, argv[1], argv[2], &error)
        || darknet_meta_adapt(&classifier, model, &(darknet_meta_support){ images, labels, 2, 2 }, 1, &error)
        || darknet_meta_save(classifier, argv[3], DARKNET_META_RUNNING, &error)) { puts(error.text); return 1; }
    char cfg[256], weights[256];
    snprintf(cfg, sizeof cfg, "%s.cfg", argv[3]);
    snprintf(weights, sizeof weights, "%s.weights", argv[3]);
    if (darknet_meta_open(&again, cfg, weights, &error)) { puts(error.text); return 1; }
    snprintf(number, sizeof number, "%.1f", .5);
    darknet_meta_classifier_free(again);
    darknet_meta_classifier_free(classifier);
    darknet_meta_free(model);
    return strcmp(number, "0,5") ? 4 : 0;
}
END
mkdir locales
if localedef -i de_DE -f UTF-8 "$TMP_TEST/locales/de_DE.UTF-8" >/dev/null 2>&1; then
    check 'a program for a language with a decimal comma compiles' $cc -std=c99 -Wall -Wextra -Werror -g $sanitize comma.c -o comma $flags
    check 'the library reads and writes networks under a decimal comma' env LOCPATH="$TMP_TEST/locales" LC_ALL=de_DE.UTF-8 ${under[@]+"${under[@]}"} ./comma "$a/toy.cfg" "$weights" comma_out
    check 'a network that is written under a decimal comma has points' grep -qx 'probability=0\.[0-9]*' comma_out.cfg
else skip 'the library under a language with a decimal comma' 'localedef has no de_DE (Debian: locales)'; fi

check 'the installed example compiles' $cc -Wall -Wextra -Werror $sanitize "$at/share/darknet-meta/example.c" -o example $flags
image() { echo "$a/images/c$1_$2.pgm"; }
check 'the installed example predicts images' ./example "$a/toy.cfg" "$weights" "$(image 6 0)" "$(image 6 1)" -- "$(image 7 0)" "$(image 7 1)" -- "$(image 6 2)" "$(image 7 2)"
cp "$test_log/out" told
check 'the installed example prints a line of probabilities an image' test "$(grep -cE '^/.*\.pgm: [01]\.[0-9]{4} [01]\.[0-9]{4}$' told)" -eq 2
printf 'c6_\nc7_\n' >few.labels
printf '%s\n' "$(image 6 0)" "$(image 6 1)" "$(image 7 0)" "$(image 7 1)" >few.list
printf 'classes=2\nlabels=few.labels\ntrain=few.list\n' >few.data
check 'the installed meta adapt adapts to the images of the example' "${installed[@]}" meta adapt few.data "$a/toy.cfg" "$weights" -out few
check 'the installed meta predict predicts the images of the example' "${installed[@]}" meta predict few.cfg few.weights few.data "$(image 6 2)" "$(image 7 2)" -csv
cp "$test_log/out" predicted
check 'meta predict gives the probabilities of the example' awk -F'[, :]+' 'NR == FNR { if (/^\//) { p[$1] = $2; n++ } next }
    /^\// { d = p[$1] - $3; if (d > 1e-4 || d < -1e-4 || !($1 in p)) bad = 1; both++ } END { exit bad || n != 2 || both != 2 }' told predicted || cat told predicted
expect_error 'example: .*none\.pgm: can.t be opened' ./example "$a/toy.cfg" "$weights" none.pgm none.pgm -- none.pgm none.pgm -- none.pgm
expect_error 'example: 1 classes: must be 2' ./example "$a/toy.cfg" "$weights" "$(image 6 0)" "$(image 6 1)" "$(image 7 0)" -- "$(image 6 2)" "$(image 7 2)"
mkdir "$TMP_TEST/bare"
cp "$at/lib/$soname" "$TMP_TEST/bare"
expect_error 'example: .*toy\.cfg:[0-9]+: \[episode\]: unknown section; .*; no plugins in .*bare/plugins' \
    env "LD_LIBRARY_PATH=$TMP_TEST/bare" ./example "$a/toy.cfg" "$weights" "$(image 6 0)" -- "$(image 7 0)" -- "$(image 6 2)" "$(image 7 2)"

# make install refuses to replace another darknet, and make uninstall takes its own files away
# again.
cd "$source" || exit 1
mkdir -p "$TMP_TEST/usr/bin"
echo 'another' >"$TMP_TEST/usr/bin/darknet"
expect_error 'usr/bin/darknet: is another darknet, which ours needs: choose another PREFIX' \
    sh -c "make --no-print-directory -o all install BUILD='$BUILD' BIN='$DARKNET_DIR' PREFIX='$TMP_TEST/usr' 2>&1 >/dev/null | grep -v '^make' >&2; exit 1"
check 'make install leaves another darknet as it is' grep -q another "$TMP_TEST/usr/bin/darknet"
check 'make install lists what it has written' test "$(sed "s#^#$at/#" "$at/lib/darknet-meta/installed" | sort)" = "$(find "$root" ! -type d ! -name installed | sort)"
# What an earlier install brought and this one would not: a plugin and a part whose packages are gone
touch "$at/lib/another.so" "$at/lib/darknet-meta/plugins/earlier.so" "$at/lib/darknet-meta/libdarknet-meta-earlier.so"
printf 'lib/darknet-meta/%s.so\n' plugins/earlier libdarknet-meta-earlier >>"$at/lib/darknet-meta/installed"
check 'make install runs again' installing install "$root" /opt/dm
check 'what only an earlier one brought is gone' test -z "$(find "$root" -name '*earlier*')"
touch "$at/lib/darknet-meta/plugins/earlier.so"
echo lib/darknet-meta/plugins/earlier.so >>"$at/lib/darknet-meta/installed"
check 'make uninstall runs' installing uninstall "$root" /opt/dm
check 'make uninstall leaves what it did not bring, and nothing else' test "$(find "$root" ! -type d)" = "$at/lib/another.so"
check 'make uninstall leaves no folder of its own' test -z "$(find "$root" -name 'darknet-meta*')"
