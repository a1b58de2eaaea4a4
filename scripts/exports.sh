#!/bin/bash
# What other programs make of networks that meta adapt writes: for each network of
# tests/exported_networks.py the largest difference of the probabilities in meta predict, the stock
# library, OpenCV, and the libraries of AlexeyAB's and hank-ai's Darknet where a checkout is given.
# Ends with 1 where one differs by more than 1e-4 and meta adapt did not say so.
#
#     scripts/exports.sh OUT [ALEXEYAB [HANKAI]] [-flags "FLAG..."]      flags: of meta adapt, such as -fold
#
# The checkouts are built in OUT, for the CPU, and are not changed; "-" stands for none. The first takes
# a minute, the second some ten; it needs cmake, libopencv-dev and protobuf-compiler. A build that is
# there is used again.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
fail() { echo "scripts/exports.sh: $1" >&2; exit 1; }
flags=
words=()
while [ $# -gt 0 ]; do
    case $1 in -flags) [ $# -gt 1 ] || fail '-flags: must have a value'; flags=$2; shift 2 ;; *) words+=("$1"); shift ;; esac
done
[ ${#words[@]} -ge 1 ] && [ ${#words[@]} -le 3 ] || { echo 'usage: scripts/exports.sh OUT [ALEXEYAB [HANKAI]] [-flags "FLAG..."]' >&2; exit 1; }
out=$(realpath -m "${words[0]}") alexeyab=${words[1]:--} hankai=${words[2]:--}
[ "$alexeyab" = - ] || [ -f "$alexeyab/src/parser.c" ] || fail "$alexeyab: no checkout of AlexeyAB's Darknet: has no src/parser.c"
[ "$hankai" = - ] || [ -f "$hankai/src-lib/darknet_cfg.cpp" ] || fail "$hankai: no checkout of hank-ai's Darknet: has no src-lib/darknet_cfg.cpp"
[ -x darknet ] || fail 'darknet: not built: run make'
mkdir -p "$out/networks"
make -s NAMES=adapt_readers unit
libraries=()

# Built as its pages advise for a CPU: with AVX and OpenMP.
if [ "$alexeyab" != - ]; then
    library=$out/AlexeyAB/libdarknet.so
    [ -f "$library" ] || { git clone -q "$alexeyab" "$out/AlexeyAB" && make -s -C "$out/AlexeyAB" LIBSO=1 AVX=1 OPENMP=1 libdarknet.so >"$out/AlexeyAB.log" 2>&1; } ||
        fail "$alexeyab: can't be built: see $out/AlexeyAB.log"
    libraries+=("AlexeyAB=$library")
fi
# Its version comes from git, which must find the clone from the build folder.
if [ "$hankai" != - ]; then
    library=$out/hank-ai/build/src-lib/libdarknet.so
    [ -f "$library" ] || { git clone -q "$hankai" "$out/hank-ai" && mkdir -p "$out/hank-ai/build" && cd "$out/hank-ai/build" &&
        { cmake -DCMAKE_BUILD_TYPE=Release -DDARKNET_TRY_OPENBLAS=OFF -DDARKNET_TRY_CUDA=OFF -DDARKNET_TRY_ROCM=OFF .. &&
            make darknet_generated_proto && make darknet; } >"$out/hank-ai.log" 2>&1 && cd - >/dev/null; } || fail "$hankai: can't be built: see $out/hank-ai.log"
    libraries+=("hank-ai=$library")
fi
stock=$(readelf -d darknet | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1\/libdarknet.so/p')
exec /usr/bin/python3 tests/exported.py ./darknet "$stock" build/release/tests/opencv_predict "$out/networks" -flags "$flags" "${libraries[@]}"
