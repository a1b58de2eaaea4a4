#!/bin/bash
# OpenCV's reader of BMP files misses two things that files say. Colour masks of 16-bit pixels lie inside a header that is longer than 40 bytes,
# but it looks for them behind the header, where the first pixels are, and refuses the file. And in files of 4-bit runs the mark for the end of
# the bitmap ends a row alone: files whose last rows are left out are refused, where those of 8-bit runs are read.
#
# Seen with: Debian 12, libopencv-imgcodecs406 4.6.0+dfsg-12, amd64.
#
# Output seen: "16 bits, header of 40 bytes: read, of 108 bytes: refused", "4-bit runs, all rows: read, the last rows left out: refused",
# "8-bit runs, the last rows left out: read".
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

cat >bmp.py <<'END'
"""Files of 8x8 pixels, and whether cv2.imread has an image of each."""
import struct
import cv2

def bmp(bits, compression, length, behind, data):
    """`behind`: the rest of the header after its first 40 bytes, and the palette."""
    start = 14 + 40 + len(behind)
    return (b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", length, 8, 8, 1, bits, compression, len(data), 2835, 2835, 0, 0) + behind + data)

def read(data):
    with open("x.bmp", "wb") as f:
        f.write(data)
    return "refused" if cv2.imread("x.bmp") is None else "read"

masks = struct.pack("<III", 0xf800, 0x7e0, 0x1f)
pixels = struct.pack("<64H", *[0x07e0] * 64)
row, end = b"\x08\x12\0\0", b"\0\1"
seen = (read(bmp(16, 3, 40, masks, pixels)), read(bmp(16, 3, 108, masks + bytes(56), pixels)),
        read(bmp(4, 2, 40, bytes(64), 8 * row + end)), read(bmp(4, 2, 40, bytes(64), 3 * row + end)),
        read(bmp(8, 1, 40, bytes(1024), 3 * row + end)))
print("16 bits, header of 40 bytes: %s, of 108 bytes: %s" % seen[:2])
print("4-bit runs, all rows: %s, the last rows left out: %s" % seen[2:4])
print("8-bit runs, the last rows left out: %s" % seen[4])
raise SystemExit(0 if seen == ("read", "refused", "read", "refused", "read") else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 bmp.py 2>log || { [ $? -eq 1 ] && echo 'such files are not refused as described' >&2; exit 1; }
