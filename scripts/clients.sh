#!/bin/bash
# How other programs agree with meta predict on exported networks, as a page in Markdown on standard output: for each network of
# tests/exported_networks.py what the stock library, Debian's OpenCV and the programs that are named make of its .cfg, or of its file of
# ONNX. 10 minutes. The programs are built beforehand, as their own pages say; this script builds and fetches none of them.
#
#     scripts/clients.sh OUT [-every N] [NAME[@VERSION]=PATH...]
#
#     AlexeyAB=LIBRARY   libdarknet.so of AlexeyAB's Darknet (LIBSO=1)
#     hank-ai=LIBRARY    libdarknet.so of hank-ai's Darknet
#     ncnn=FOLDER        where ncnn is installed, with its converters darknet2ncnn and onnx2ncnn in bin/
#     npm=FOLDER         node_modules of scripts/onnx_clients.sh: onnxruntime, and OpenCV 5
#
# VERSION is what the table says; without it, what git says of the checkout that PATH lies in.
set -eu
export LC_ALL=C
from=$PWD
cd "$(dirname "$0")/.."
at() { (cd "$from" && realpath -m -- "$1"); } # a path as the caller means it
fail() { echo "scripts/clients.sh: $1" >&2; exit 1; }
usage() { sed -n '6,11s/^# \{0,5\}//p' scripts/clients.sh >&2; exit 1; }
[ $# -ge 1 ] || usage
out=$(at "$1")
shift
every=1 clients=()
while [ $# -gt 0 ]; do
    path=$(at "${1#*=}")
    case $1 in
    -every) [ $# -gt 1 ] || fail '-every: must have a value'; every=$2; shift; [[ $every =~ ^[1-9][0-9]*$ ]] || fail "-every $every: must be a number from 1 on" ;;
    AlexeyAB[@=]*|hank-ai[@=]*) [ -f "$path" ] || fail "$path: is no library: must be a libdarknet.so that is built"; clients+=("${1%%=*}=$path") ;;
    npm[@=]*) [ -d "$path" ] || fail "$path: is no folder: must be node_modules of scripts/onnx_clients.sh"; clients+=("${1%%=*}=$path") ;;
    ncnn[@=]*)
        for file in include/ncnn/net.h bin/darknet2ncnn bin/onnx2ncnn; do [ -f "$path/$file" ] || fail "$path: has no $file: must be where ncnn is installed, with its converters"; done
        ncnn=$path clients+=("${1%%=*}=$out/ncnn") ;;
    *) fail "$1: must be AlexeyAB=, hank-ai=, ncnn=, npm= or -every" ;;
    esac
    shift
done
[ -x darknet ] || fail 'darknet: not built: run make'
[ -e libdarknet-meta-onnx.so ] || fail 'libdarknet-meta-onnx.so: not built: run make where libonnx-dev is installed'
mkdir -p "$out/networks"
[ -x build/release/tests/opencv_predict ] || make -s NAMES=adapt_readers unit >&2
if [ -n "${ncnn:-}" ]; then
    mkdir -p "$out/ncnn"
    ln -sfn "$ncnn/bin" "$out/ncnn/bin"
    libraries=("$ncnn"/lib/libncnn*.a)
    c++ -std=c++17 -O1 -pthread -fopenmp -I"$ncnn/include" -o "$out/ncnn/ncnn_predict" tests/ncnn_predict.cpp "${libraries[0]}" >&2 || fail "$ncnn: tests/ncnn_predict.cpp can't be linked to it"
fi
stock=$(readelf -d darknet | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1\/libdarknet.so/p')
exec /usr/bin/python3 scripts/clients.py ./darknet "$stock" build/release/tests/opencv_predict "$out/networks" -every "$every" ${clients[@]+"${clients[@]}"}
