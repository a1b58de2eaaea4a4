#!/bin/bash
# Times the forward of 3x3 convolutions in ncnn, by its Winograd, and in this program, in turn on one thread, and prints
# the ratio.
#
#     scripts/bench_ncnn.sh NCNN [OUT] [-rounds N] [-batch N,N...] [-shape IN,OUT,SIDE]...
#
# NCNN is a checkout of github.com/Tencent/ncnn; it is built in OUT (a temporary folder, removed in the end) with the
# vector instructions of this processor and without threads, and is not changed. A build that lies in OUT is used again.
# The shapes are those of cfg/daml-4conv.cfg unless given: 3 to 64 channels at 84x84, then 64 to 64 at 42, 21 and 10; the
# batches 10 and 40. The first build takes some minutes. Needs cmake.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
fail() { echo "scripts/bench_ncnn.sh: $1" >&2; exit 1; }
usage() { echo 'usage: scripts/bench_ncnn.sh NCNN [OUT] [-rounds N] [-batch N,N...] [-shape IN,OUT,SIDE]...' >&2; exit 1; }
words=() flags=()
while [ $# -gt 0 ]; do
    case $1 in
    -rounds | -batch | -shape) [ $# -gt 1 ] || fail "$1: must have a value"; flags+=("$1" "$2"); shift 2 ;;
    -*) fail "$1: unknown flag; allowed: -rounds -batch -shape" ;;
    *) words+=("$1"); shift ;;
    esac
done
[ ${#words[@]} -ge 1 ] && [ ${#words[@]} -le 2 ] || usage
ncnn=$(realpath -m "${words[0]}")
[ -f "$ncnn/src/layer/convolution.h" ] || fail "${words[0]}: no checkout of ncnn: has no src/layer/convolution.h"
library=${BUILD:-build/release}/libmeta.a
command -v cmake >/dev/null || fail 'cmake: is not installed'
[ -x darknet ] && [ -f "$library" ] || fail "$library: not built: run make all unit"
if [ ${#words[@]} -eq 2 ]; then
    mkdir -p "${words[1]}"
    out=$(realpath "${words[1]}")
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi

# Every layer but those that a convolution is made of is left out; with all of them the build takes an hour.
if [ ! -f "$out/ncnn/src/libncnn.a" ]; then
    options=()
    for layer in $(sed -n 's/^ncnn_add_layer(\([A-Za-z0-9_]*\).*/\1/p' "$ncnn/src/CMakeLists.txt" | tr '[:upper:]' '[:lower:]'); do
        case $layer in convolution | padding | packing | cast | flatten | innerproduct | relu) ;; *) options+=("-DWITH_LAYER_$layer=OFF") ;; esac
    done
    has() { if grep -qw "$1" /proc/cpuinfo; then echo ON; else echo OFF; fi; }
    { cmake -S "$ncnn" -B "$out/ncnn" -DCMAKE_BUILD_TYPE=Release -DNCNN_RUNTIME_CPU=OFF -DNCNN_AVX="$(has avx)" -DNCNN_FMA="$(has fma)" \
        -DNCNN_F16C="$(has f16c)" -DNCNN_AVX2="$(has avx2)" -DNCNN_AVX512="$(has avx512dq)" -DNCNN_AVXVNNI=OFF -DNCNN_AVXVNNIINT8=OFF \
        -DNCNN_AVXVNNIINT16=OFF -DNCNN_AVXNECONVERT=OFF -DNCNN_AVX512VNNI=OFF -DNCNN_AVX512BF16=OFF -DNCNN_AVX512FP16=OFF \
        -DNCNN_XOP=OFF -DNCNN_OPENMP=OFF -DNCNN_THREADS=OFF -DNCNN_VULKAN=OFF -DNCNN_INT8=OFF -DNCNN_BF16=OFF \
        -DNCNN_WEIGHT_QUANT=OFF -DNCNN_BUILD_TOOLS=OFF -DNCNN_BUILD_EXAMPLES=OFF -DNCNN_BUILD_BENCHMARK=OFF -DNCNN_C_API=OFF \
        -DNCNN_PIXEL=OFF -DNCNN_DISABLE_RTTI=OFF -DNCNN_DISABLE_EXCEPTION=OFF "${options[@]}" &&
        cmake --build "$out/ncnn" --target ncnn; } >"$out/ncnn.log" 2>&1 || { tail -5 "$out/ncnn.log" >&2; fail "$ncnn: can't be built"; }
fi

# The two are compiled apart: their headers are of different languages, and share no name but those of bench_ncnn.h.
darknet=$(readelf -d darknet | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1/p')
cc -std=gnu11 -O2 -Wall -Wextra -Isrc -c scripts/bench_ncnn.c -o "$out/bench_ncnn.o"
c++ -std=c++17 -O2 -Wall -Wextra -I"$ncnn/src" -I"$out/ncnn/src" -c scripts/bench_ncnn_peer.cpp -o "$out/bench_ncnn_peer.o"
c++ -pthread -o "$out/bench_ncnn" "$out/bench_ncnn.o" "$out/bench_ncnn_peer.o" "$out/ncnn/src/libncnn.a" \
    "$library" -L"$darknet" -Wl,-rpath,"$darknet" -ldarknet -ljpeg -lpng -ldnnl -lcjson -lxxhash -lz -lgomp -ldl -lm
"$out/bench_ncnn" ${flags[@]+"${flags[@]}"}
