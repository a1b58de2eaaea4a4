#!/bin/bash
# Installs what this project needs on Debian 12, and nothing else; what is there is skipped, and with nothing to do it is
# silent. Uses apt-get, through sudo when not root. When something can't be installed: names it, exit 1.
#
#     scripts/install-deps.sh [--test] [--download] [--pytorch] [--fuzz]
#
#     --test       also what the tests run under or against (valgrind, a local web server, a browser, another language's numbers, MPI, DICOM, tools of image formats)
#     --download   also what scripts/get_isic2018.sh needs (curl, unzip)
#     --pytorch    also PyTorch, scikit-learn, SciPy and mpmath: only to write the reference numbers anew and to compare speed
#     --fuzz       also what make fuzz builds with (clang and its sanitizers' runtime)
#     --missing    installs nothing: prints the packages that a build lacks, in one line
#     --no-darknet without Debian's darknet, for make DARKNET=DIR
set -eu

# One package a row; those after | do as well where they are installed.
build="gcc g++ make pkg-config|pkgconf binutils libc6-dev
    darknet             # libdarknet.so and darknet.h: the parser, the layers, every command but meta
    libdnnl-dev         # oneDNN: convolutions
    libopencv-dev       # decoding and resizing images; KNN, SVM, keypoints
    librandom123-dev    # random numbers that are functions of a key
    libcjson-dev        # results as JSON
    libjpeg-dev|libjpeg62-turbo-dev   # reading JPEG files to the end, or not at all
    libpng-dev          # reading PNG files, and what is wrong with them
    libtiff-dev         # reading TIFF files
    libwebp-dev         # reading WebP files
    libopenjp2-7-dev    # reading JPEG 2000 files
    libxxhash-dev       # digests that tell which images are the same
    zlib1g-dev          # idx files"
# libonnx-dev: files of ONNX; a build without it goes without meta export
run="libonnx-dev libprotobuf-dev gnuplot-nox|gnuplot-qt|gnuplot-x11 dataset-fashion-mnist libcmocka-dev"

quiet=
for option; do
    case $option in
    --test) run+=" valgrind python3 python3-numpy curl unzip zip chromium locales libopenmpi-dev openmpi-bin libdcmtk-dev dcmtk libtiff-tools webp libopenjp2-tools" ;;
    --download) run+=" curl unzip" ;;
    --pytorch) run+=" python3-torch python3-numpy python3-sklearn python3-scipy python3-mpmath" ;;
    --fuzz) run+=" clang libclang-rt-dev llvm" ;;
    --missing) quiet=1 ;;
    --no-darknet) build=${build/darknet /} ;;
    *) echo "scripts/install-deps.sh: $option: must be --test, --download, --pytorch, --fuzz, --missing or --no-darknet" >&2; exit 1 ;;
    esac
done
rows=$(sed 's/#.*//' <<<"$build")
[ -n "$quiet" ] || rows+=" $run"

# Another system's packages are not known: there the compiler says what it misses.
if ! command -v dpkg-query >/dev/null; then
    [ -z "$quiet" ] || exit 0
    echo "scripts/install-deps.sh: no dpkg here: install the likes of these Debian packages:" $rows >&2
    exit 1
fi

missing()
{
    local installed row name
    # shellcheck disable=SC2046,SC2086
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(tr '|' ' ' <<<"$rows") 2>/dev/null |
                sed -n 's/^installed //p') || true
    for row in $rows; do
        for name in ${row//|/ }; do
            if grep -qxF "$name" <<<"$installed"; then continue 2; fi
        done
        echo "${row%%|*}"
    done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

need=$(missing)
if [ -n "$quiet" ]; then echo $need; exit 0; fi
[ -n "$need" ] || exit 0

fail() { echo "scripts/install-deps.sh: can't install: $need: $1" >&2; exit 1; }
root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "needs root, and there is no sudo: as root, apt-get install $need"
    root="sudo env"
fi
command -v apt-get >/dev/null || fail "there is no apt-get"

echo "installing $need" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $root ${root:+DEBIAN_FRONTEND=noninteractive} apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
export DEBIAN_FRONTEND=noninteractive
if ! { apt update && apt install -y --no-install-recommends $need; }; then
    tail -n 5 "$log" >&2
    need=$(missing)
    fail "apt-get failed"
fi
need=$(missing)
[ -z "$need" ] || fail "apt-get ended well, but they aren't there"
