#!/bin/bash
# OpenCV's imread() with IMREAD_GRAYSCALE makes another gray of a colour PNG that has a gAMA or an sRGB chunk, as many programs write, than of the
# same pixels without: libpng weighs colours in linear light once it knows the gamma. cvtColor(), and IMREAD_GRAYSCALE of other formats, weigh the
# numbers as they stand. So pure green is 200 in one file and 149 in the other. Pixels read in colour are the same.
#
# Seen with: Debian 12, libopencv-imgcodecs406 4.6.0+dfsg-12, libpng16-16 1.6.39-2+deb12u4, amd64.
#
# Output seen: "plain: 76 149 29, with sRGB: 147 200 95, with gAMA: 147 200 95, in colour: the same".
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

cat >png.py <<'END'
"""A PNG file of a red, a green and a blue pixel, with and without the chunks, and what cv2.imread makes of them."""
import struct
import zlib
import cv2

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

def read(extra, how):
    pixels = b"\0" + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])
    with open("x.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, 8, 2, 0, 0, 0)) + extra
                + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))
    return cv2.imread("x.png", how).ravel().tolist()

files = b"", chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 45455))
plain, srgb, gamma = (read(extra, cv2.IMREAD_GRAYSCALE) for extra in files)
colours = [read(extra, cv2.IMREAD_COLOR) for extra in files]
same = colours[0] == colours[1] == colours[2]
print("plain: %s, with sRGB: %s, with gAMA: %s, in colour: %s"
      % (*(" ".join(map(str, v)) for v in (plain, srgb, gamma)), "the same" if same else "different"))
far = all(b - a > 40 for a, b in zip(plain, srgb))
raise SystemExit(0 if same and srgb == gamma and far and max(abs(a - b) for a, b in zip(plain, (76, 150, 29))) <= 1 else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 png.py 2>log || { [ $? -eq 1 ] && echo 'the gray of such files does not differ as described' >&2; exit 1; }
