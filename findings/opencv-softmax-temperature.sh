#!/bin/bash
# OpenCV's reader of Darknet's .cfg files takes [softmax] and ignores its temperature, without a word: its probabilities are those of temperature=1.
# Darknet divides the inputs by it (softmax() in src/blas.c).
#
# Seen with: Debian 12, libopencv-dnn406 4.6.0+dfsg-12, amd64.
#
# Output seen: of the scores 0 and 2, with temperature=4: "0.119 0.881" in OpenCV; softmax(0, 2/4) is "0.378 0.622".
#
# Needs: apt-get (to download the package into a temporary folder), and python3-opencv, which brings the libraries the package depends on.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
/usr/bin/python3 -c 'import cv2' 2>/dev/null || { echo 'python3-opencv is not installed' >&2; exit 2; }
version=4.6.0+dfsg-12
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "libopencv-dnn406=$version" && dpkg-deb -x libopencv-dnn406_*.deb .; } >log 2>&1 \
    || { cat log >&2; echo "libopencv-dnn406 $version can't be downloaded" >&2; exit 2; }

cat >temperature.py <<'END'
"""A [connected] of one input and two outputs, with the weights 0 and 2, and a [softmax]: its outputs for the input 1, at two temperatures."""
import math
import struct
import cv2
import numpy

def outputs(temperature):
    with open("x.cfg", "w") as f:
        f.write("[net]\nwidth=1\nheight=1\nchannels=1\n[connected]\noutput=2\nactivation=linear\n[softmax]\ntemperature=%g\n" % temperature)
    with open("x.weights", "wb") as f:
        f.write(struct.pack("<iiiQ4f", 0, 2, 0, 0, 0, 0, 0, 2))    # header; biases; weights
    net = cv2.dnn.readNetFromDarknet("x.cfg", "x.weights")
    net.setInput(numpy.ones((1, 1, 1, 1), "float32"))
    return net.forward().flatten()

def softmax(a, b):
    return numpy.array([math.exp(a), math.exp(b)]) / (math.exp(a) + math.exp(b))

one, four = outputs(1), outputs(4)
print("temperature=1: OpenCV %.3f %.3f, softmax(0, 2)   %.3f %.3f" % (*one, *softmax(0, 2)))
print("temperature=4: OpenCV %.3f %.3f, softmax(0, 2/4) %.3f %.3f" % (*four, *softmax(0, .5)))
raise SystemExit(0 if abs(one - softmax(0, 2)).max() < 1e-4 and abs(four - one).max() < 1e-6 else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 temperature.py || { [ $? -eq 1 ] && echo 'temperature is not ignored as described' >&2; exit 1; }
