#!/bin/bash
# OpenCV's imread() with IMREAD_ANYDEPTH reads a gray TIFF file whose 0 is white (PhotometricInterpretation 0) otherwise in 16 bits than in 8: 8 bits
# are inverted, as the file asks for, 16 bits are not, so that the picture is its negative. No error tells.
#
# Seen with: Debian 12, libopencv-imgcodecs406 4.6.0+dfsg-12, amd64.
#
# Output seen, of a pixel that is white by the file: "255 of 255 in 8 bits, 0 of 65535 in 16".
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

cat >tiff.py <<'END'
"""Uncompressed TIFF files of 8x8 pixels that are black but for one, and what cv2.imread makes of that one."""
import struct
import cv2

def white(bits):
    samples = struct.pack("<64" + ("H" if bits == 16 else "B"), *[2 ** bits - 1] * 63 + [0])
    tags = {256: 8, 257: 8, 258: bits, 259: 1, 262: 0, 273: 8, 277: 1, 278: 8, 279: len(samples)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    with open("x.tif", "wb") as f:
        f.write(b"II*\0" + struct.pack("<I", 8 + len(samples)) + samples + struct.pack("<H", len(tags)) + entries + bytes(4))
    image = cv2.imread("x.tif", cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    return None if image is None else int(image[7, 7])

seen = white(8), white(16)
print("%s of 255 in 8 bits, %s of 65535 in 16" % seen)
raise SystemExit(0 if seen == (255, 0) else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 tiff.py 2>log || { [ $? -eq 1 ] && echo 'the 16-bit file is not a negative as described' >&2; exit 1; }
