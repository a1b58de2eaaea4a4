#!/bin/bash
# OpenCV's imread() looks for EXIF's orientation in the first APP1 marker of a JPEG file alone. Where that holds XMP, as some programs write it in
# front of EXIF's, the image stays as it lies in the file: the same photograph is upright with one order of the markers and turned with the other.
#
# Seen with: Debian 12, libopencv-imgcodecs406 4.6.0+dfsg-12, amd64.
#
# Output seen: an image of 24x16 pixels with orientation 6 (a quarter turn): EXIF first 16x24, XMP first 24x16.
#
# Needs: apt-get (to download the package into a temporary folder), and python3-opencv, which brings the libraries the package depends on.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
/usr/bin/python3 -c 'import cv2' 2>/dev/null || { echo 'python3-opencv is not installed' >&2; exit 2; }
version=4.6.0+dfsg-12
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "libopencv-imgcodecs406=$version" && dpkg-deb -x libopencv-imgcodecs406_*.deb .; } >log 2>&1 \
    || { cat log >&2; echo "libopencv-imgcodecs406 $version can't be downloaded" >&2; exit 2; }

cat >exif.py <<'END'
"""Writes a JPEG file with an EXIF and an XMP marker in either order, and prints the size that it is read with."""
import struct
import cv2
import numpy

def app1(data):
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data

plain = cv2.imencode(".jpg", numpy.zeros((16, 24, 3), "uint8"))[1].tobytes()
# TIFF's header, and a directory of one entry: tag 0x112, type SHORT, one value, 6
exif = app1(b"Exif\0\0" + b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0))
xmp = app1(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")

def size(markers):
    with open("x.jpg", "wb") as f:
        f.write(plain[:2] + markers + plain[2:])
    h, w = cv2.imread("x.jpg").shape[:2]
    return "%dx%d" % (w, h)

first, second = size(exif + xmp), size(xmp + exif)
print("EXIF first: %s; XMP first: %s" % (first, second))
raise SystemExit(0 if (first, second) == ("16x24", "24x16") else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 exif.py || { [ $? -eq 1 ] && echo 'the orientation is not lost as described' >&2; exit 1; }
