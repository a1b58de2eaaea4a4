#!/bin/bash
# Times the forward of 3x3 convolutions in ncnn, by its Winograd, and in this program, in turn on one thread, and prints
# the ratio.
#
#     scripts/bench_ncnn.sh NCNN [OUT] [-rounds N] [-batch N,N...] [-shape IN,OUT,SIDE]...
#
# NCNN is where ncnn is installed (include/ncnn, lib/libncnn*.a), built beforehand as its own pages say, for this processor
# and without Vulkan; this script builds and fetches none. It runs on one thread. The shapes are those of
# cfg/daml-4conv.cfg unless given: 3 to 64 channels at 84x84, then 64 to 64 at 42, 21 and 10; the batches 10 and 40.
# OUT, a temporary folder that is removed in the end, has the program that times both.
set -eu
export LC_ALL=C
from=$PWD
cd "$(dirname "$0")/.."
at() { (cd "$from" && realpath -m -- "$1"); } # a path as the caller means it
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
ncnn=$(at "${words[0]}")
libraries=("$ncnn"/lib/libncnn*.a)
for file in "$ncnn/include/ncnn/layer.h" "${libraries[0]}"; do
    [ -f "$file" ] || fail "${words[0]}: has no ${file#"$ncnn/"}: must be where ncnn is installed"
done
library=${BUILD:-build/release}/libmeta.a
[ -x darknet ] && [ -f "$library" ] || fail "$library: not built: run make all unit"
if [ ${#words[@]} -eq 2 ]; then
    out=$(at "${words[1]}")
    mkdir -p "$out"
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi

# The two are compiled apart: their headers are of different languages, and share no name but those of bench_ncnn.h.
darknet=$(readelf -d darknet | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1/p')
cc -std=gnu11 -O2 -Wall -Wextra -Isrc -c scripts/bench_ncnn.c -o "$out/bench_ncnn.o"
c++ -std=c++17 -O2 -Wall -Wextra -I"$ncnn/include/ncnn" -c scripts/bench_ncnn_peer.cpp -o "$out/bench_ncnn_peer.o"
c++ -pthread -o "$out/bench_ncnn" "$out/bench_ncnn.o" "$out/bench_ncnn_peer.o" "${libraries[0]}" \
    "$library" -L"$darknet" -Wl,-rpath,"$darknet" -ldarknet -ljpeg -lpng -ldnnl -lcjson -lxxhash -lz -lgomp -ldl -lm
"$out/bench_ncnn" ${flags[@]+"${flags[@]}"}
