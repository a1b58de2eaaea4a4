#!/bin/bash
# Installs what the tests of meta export read its files with beside Debian's OpenCV, from npm into FOLDER/node_modules, at the versions
# that the results were measured with: onnxruntime, and OpenCV 5 as WebAssembly. 300 MB. node and npm must be there.
#
#     scripts/onnx_clients.sh FOLDER
#     META_NODE_MODULES=FOLDER/node_modules make test NAMES=export_onnx
set -eu
packages="@techstark/opencv-js@5.0.0-release.1 onnxruntime-node@1.30.0"
fail() { echo "scripts/onnx_clients.sh: $1" >&2; exit 1; }
[ $# -eq 1 ] || { echo "usage: scripts/onnx_clients.sh FOLDER" >&2; exit 1; }
command -v npm >/dev/null || fail 'npm: is not installed'
mkdir -p "$1"
# Its own script would fetch libraries for GPUs, which the CPU does not need.
# shellcheck disable=SC2086
npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-package-lock $packages >"$1/npm.log" 2>&1 || { tail -n 3 "$1/npm.log" >&2; fail "npm can't install $packages"; }
echo "$1/node_modules: $packages"
