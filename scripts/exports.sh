#!/bin/bash
# What other programs make of networks that meta adapt writes: for each network of
# tests/exported_networks.py the largest difference of the probabilities in meta predict, the stock
# library, OpenCV, and the libraries of AlexeyAB's and hank-ai's Darknet where they are named.
# Ends with 1 where one differs by more than 1e-4 and meta adapt did not say so.
#
#     scripts/exports.sh OUT [AlexeyAB=LIBRARY] [hank-ai=LIBRARY] [-flags "FLAG..."]
#
# LIBRARY is a libdarknet.so, built beforehand for the CPU as its own pages say; this script builds
# and fetches none. FLAG: of meta adapt, such as -fold.
set -eu
export LC_ALL=C
from=$PWD
cd "$(dirname "$0")/.."
at() { (cd "$from" && realpath -m -- "$1"); } # a path as the caller means it
fail() { echo "scripts/exports.sh: $1" >&2; exit 1; }
flags= out= libraries=()
usage() { echo 'usage: scripts/exports.sh OUT [AlexeyAB=LIBRARY] [hank-ai=LIBRARY] [-flags "FLAG..."]' >&2; exit 1; }
while [ $# -gt 0 ]; do
    case $1 in
    -flags) [ $# -gt 1 ] || fail '-flags: must have a value'; flags=$2; shift ;;
    AlexeyAB=* | hank-ai=*) path=$(at "${1#*=}"); [ -f "$path" ] || fail "$path: is no library: must be a libdarknet.so that is built"; libraries+=("${1%%=*}=$path") ;;
    *) [ -z "$out" ] || usage; out=$(at "$1") ;;
    esac
    shift
done
[ -n "$out" ] || usage
[ -x darknet ] || fail 'darknet: not built: run make'
mkdir -p "$out/networks"
make -s NAMES=adapt_readers unit
stock=$(readelf -d darknet | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1\/libdarknet.so/p')
exec /usr/bin/python3 tests/exported.py ./darknet "$stock" build/release/tests/opencv_predict "$out/networks" -flags "$flags" ${libraries[@]+"${libraries[@]}"}
