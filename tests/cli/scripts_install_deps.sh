#!/bin/bash
# scripts/install-deps.sh with a dpkg, an apt-get and a sudo of our own, and the Makefile's answers to what it can't build.
. tests/lib.sh
set -u
[ "$TEST_VARIANT" = release ] || { skip "scripts/install-deps.sh" "runs nothing that was built"; exit; }

fake=$TMP_TEST/fake
mkdir "$fake"
for tool in bash env sed grep tr sort mktemp tail rm cat; do ln -s "$(command -v $tool)" "$fake/$tool"; done
calls=$TMP_TEST/calls installed=$TMP_TEST/installed
export calls installed
tool() { { echo "#!$fake/bash"; cat; } >"$fake/$1"; chmod +x "$fake/$1"; }
# The file $installed has a package a line. Like the real dpkg-query, this one fails where it does
# not know one of the packages.
tool dpkg-query <<'END'
shift 3
for p; do if grep -qx "$p" "$installed"; then echo "installed $p"; elif [ "$p" = valgrind ]; then echo "config-files $p"; else bad=1; fi; done
exit ${bad:-0}
END
tool apt-get <<'END'
echo "apt-get $*" >>"$calls"
for p; do case $p in -* | update | install | DPkg*) ;; *) [ "${apt:-}" = lies ] || echo "$p" >>"$installed" ;; esac; done
if [ "${apt:-}" = fails ] && [[ $* = *install* ]]; then echo "E: Unable to locate package" >&2; exit 100; fi
END
tool id <<<'echo ${uid:-0}'
deps() { PATH=$fake bash scripts/install-deps.sh "$@"; }
all() { printf '%s\n' gcc g++ make pkgconf binutils libc6-dev darknet libdnnl-dev libopencv-dev librandom123-dev libcjson-dev \
    libjpeg62-turbo-dev libpng-dev libtiff-dev libwebp-dev libopenjp2-7-dev libxxhash-dev zlib1g-dev libonnx-dev libprotobuf-dev gnuplot-qt dataset-fashion-mnist libcmocka-dev >"$installed"; : >"$calls"; }
called() { [ "$(cat "$calls")" = "$1" ] || { cat "$calls"; return 1; }; }
dpkg="-qq -o DPkg::Lock::Timeout=300"

all
check "install-deps.sh succeeds where every package or a stand-in is there" deps
check "install-deps.sh calls nothing where every package is there" called ""
check "install-deps.sh prints nothing where every package is there" test ! -s "$test_log/out"
sed -i '/^libdnnl-dev/d; /^zlib1g-dev/d' "$installed"
check "--missing prints the packages that are missing" test "$(deps --missing)" = "libdnnl-dev zlib1g-dev"
check "--missing installs nothing" called ""
check "install-deps.sh installs packages that are missing" deps
check "install-deps.sh installs what is missing alone, after one update" called "apt-get $dpkg update
apt-get $dpkg install -y --no-install-recommends libdnnl-dev zlib1g-dev"
all
check "install-deps.sh --test runs" deps --test
check "--test adds what the tests need" grep -q 'recommends chromium curl dcmtk libdcmtk-dev libopenjp2-tools libopenmpi-dev libtiff-tools locales openmpi-bin python3 python3-numpy unzip valgrind webp zip$' "$calls"
all
check "install-deps.sh --pytorch runs" deps --pytorch
check "--pytorch adds PyTorch, scikit-learn, SciPy and mpmath" grep -q 'recommends python3-mpmath python3-numpy python3-scipy python3-sklearn python3-torch$' "$calls"
all
check "install-deps.sh --fuzz runs" deps --fuzz
check "--fuzz adds clang and the runtime of its sanitizers" grep -q 'recommends clang libclang-rt-dev llvm$' "$calls"
all; sed -i '/^darknet/d' "$installed"
check "--no-darknet does not miss the package darknet" test -z "$(deps --missing --no-darknet)"
check "without --no-darknet the package darknet is missed" test "$(deps --missing)" = darknet

all; sed -i '/^darknet/d' "$installed"
uid=1000 expect_error "can't install: darknet: needs root, and there is no sudo" deps
tool sudo <<<'echo "sudo $*" >>"$calls"; "$@"'
uid=1000 check "install-deps.sh installs through sudo when not root" env uid=1000 PATH="$fake" bash scripts/install-deps.sh
check "sudo runs apt-get and nothing else" test "$(grep -vc '^apt-get' "$calls"):$(grep -c '^sudo env DEBIAN_FRONTEND=noninteractive apt-get' "$calls")" = 2:2
rm "$fake/sudo"
export uid apt
uid=0
all; sed -i '/^darknet/d' "$installed"
fails() { deps "$@" 2>&1 >/dev/null | tail -n 1 >&2; return "${PIPESTATUS[0]}"; }
apt=lies expect_error "can't install: darknet: apt-get ended well, but they aren't there" fails
all; sed -i '/^darknet/d; /^make/d' "$installed"
apt=fails
tool apt-get <<<'echo "E: Unable to locate package" >&2; exit 100'
expect_error "can't install: darknet make: apt-get failed" fails
rm "$fake/apt-get"
expect_error "can't install: darknet make: there is no apt-get" deps
expect_error "scripts/install-deps.sh: --all: must be --test, --download" deps --all
rm "$fake/dpkg-query"
expect_error "no dpkg here: install the likes of .* darknet " deps
check "install-deps.sh --missing succeeds where there is no dpkg" deps --missing

# The Makefile's own answers
refused() { env -u MAKEFLAGS make "$@" 2>&1 >/dev/null | sed 's/^Makefile:[0-9]*: //'; }
says() { refused "${@:2}" | grep -q "^\*\*\* $1" || { refused "${@:2}"; return 1; }; }
check "make GPU=1 is refused" says "GPU and CUDNN: this build has no CUDA backend" GPU=1 CUDNN=0
check "make CUDNN=1 is refused" says "GPU and CUDNN: this build has no CUDA backend" CUDNN=1
check "make OPENCV=0 is refused" says "OPENCV=0: images are read" OPENCV=0
check "make OPENMP=1 is refused" says "OPENMP=1: tasks run in parallel on pthreads" OPENMP=1
check "make DEBUG=2 is refused" says "DEBUG=2: must be 0 or 1" DEBUG=2
check "make accepts the defaults of Darknet's switches" env -u MAKEFLAGS make -n clean GPU=0 CUDNN=0 OPENCV=1 OPENMP=0 DEBUG=0
commands() { env -u MAKEFLAGS -u NAMES make -n BUILD="$TMP_TEST/b" BIN="$TMP_TEST/b/bin" "$@" 2>/dev/null; }
has() { commands "${@:2}" | grep -e "$1" >/dev/null; }
check "make DEBUG=1 compiles with -O0" has "-O0 .* -c .*src/base/pool.c" DEBUG=1
mkdir -p "$TMP_TEST/checkout/include"
cp /usr/lib/darknet/include/darknet.h "$TMP_TEST/checkout/include"
check "make DARKNET=DIR compiles with the header of DIR" has " -I$TMP_TEST/checkout/include .* -c " DARKNET="$TMP_TEST/checkout"
check "make DARKNET=DIR links the program to the library of DIR" has " -Wl,-rpath,$TMP_TEST/checkout -o $TMP_TEST/b/bin/darknet " DARKNET="$TMP_TEST/checkout"
check "make DARKNET=DIR links the unit tests to the library of DIR" has " -L$TMP_TEST/checkout -Wl,-rpath,$TMP_TEST/checkout -ldarknet" DARKNET="$TMP_TEST/checkout" unit
nothing() { PATH=$fake:$PATH env -u MAKEFLAGS make "$@" 2>&1 | grep -q "missing packages: libdnnl-dev: scripts/install-deps.sh"; }
all; sed -i '/^libdnnl-dev/d' "$installed"
tool dpkg-query <<<'for p; do if grep -qx "$p" "$installed"; then echo "installed $p"; fi; done'
check "make names a missing package and what installs it" nothing
check "make clean needs no package" env -u MAKEFLAGS PATH="$fake:$PATH" make -n clean

# One binary for every x86-64: vector instructions beyond SSE2 are chosen at run time, in the objects made for them alone
portable()
{
    local file
    for file in $(find "$BUILD"/src -name '*.o'); do
        case $file in */fused_*_avx* | */winograd_kernels_avx* | */peak.o) continue ;; esac      # peak.c measures each set, on processors that have it
        if objdump -d --no-show-raw-insn "$file" | grep -Eq '%[yz]mm|\sv(mov|add|mul)[a-z0-9]*\s'; then echo "$file"; return 1; fi
    done
}
check "every object but the chosen kernels runs on any x86-64" portable
check "the AVX2 kernels have AVX2 instructions" sh -c 'objdump -d "$BUILD"/src/backends/fused/fused_kernels_avx2.o | grep -q "%ymm"'
