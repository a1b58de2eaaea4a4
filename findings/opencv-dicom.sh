#!/bin/bash
# OpenCV's imread() has a DICOM reader, by GDCM, in Debian's build, which gives other pixels than the file says: MONOCHROME1, whose 0 is white, is
# not inverted; the window that the file names for its display is not applied; and RGB comes out in that order, where every other reader of
# imread() gives BGR, so that red and blue are exchanged.
#
# Seen with: Debian 12, libopencv-imgcodecs406 4.6.0+dfsg-12, amd64.
#
# Output seen, the first gray value, and a pixel that is 200 red, 100 green, 50 blue in the file:
# "MONOCHROME2 0, MONOCHROME1 0, MONOCHROME2 with a window from 64 to 128: 64; blue, green, red: 200, 100, 50".
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

cat >dicom.py <<'END'
"""Secondary captures of 16x16 pixels in explicit little endian, and what cv2.imread makes of their first pixels."""
import struct
import cv2

CLASS = b"1.2.840.10008.5.1.4.1.1.7\0"

def element(group, number, kind, value):
    value += (b"\0" if kind in (b"UI", b"OB") else b" ") * (len(value) % 2)
    length = struct.pack("<HI", 0, len(value)) if kind == b"OB" else struct.pack("<H", len(value))
    return struct.pack("<HH", group, number) + kind + length + value

def first(colours, channels, pixel, window=()):
    short = lambda x: struct.pack("<H", x)
    body = [(8, 0x16, b"UI", CLASS), (8, 0x18, b"UI", b"1.2.3.4\0"), (8, 0x60, b"CS", b"OT"), (0x20, 0xd, b"UI", b"1.2.3\0"),
            (0x20, 0xe, b"UI", b"1.2.3.1\0"), (0x28, 2, b"US", short(channels)), (0x28, 4, b"CS", colours)]
    body += [(0x28, 6, b"US", short(0))] if channels == 3 else []
    body += [(0x28, 0x10, b"US", short(16)), (0x28, 0x11, b"US", short(16)), (0x28, 0x100, b"US", short(8)), (0x28, 0x101, b"US", short(8)),
             (0x28, 0x102, b"US", short(7)), (0x28, 0x103, b"US", short(0)), *window, (0x7fe0, 0x10, b"OB", pixel)]
    meta = b"".join(element(2, *e) for e in ((1, b"OB", b"\0\1"), (2, b"UI", CLASS), (3, b"UI", b"1.2.3.4\0"), (0x10, b"UI", b"1.2.840.10008.1.2.1\0"),
                                             (0x12, b"UI", b"1.2.3.9\0")))
    with open("x.dcm", "wb") as f:
        f.write(bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + b"".join(element(*e) for e in body))
    image = cv2.imread("x.dcm", cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE)
    return None if image is None else image[0, 0].tolist()

ramp = bytes(range(256))
two, one = first(b"MONOCHROME2", 1, ramp), first(b"MONOCHROME1", 1, ramp)
windowed = first(b"MONOCHROME2", 1, bytes(64 + i // 4 for i in range(256)), [(0x28, 0x1050, b"DS", b"96"), (0x28, 0x1051, b"DS", b"64")])
rgb = first(b"RGB", 3, bytes((200, 100, 50)) * 256)
print("MONOCHROME2 %s, MONOCHROME1 %s, MONOCHROME2 with a window from 64 to 128: %s; blue, green, red: %s" % (two, one, windowed, str(rgb).strip("[]")))
raise SystemExit(0 if (two, one, windowed, rgb) == (0, 0, 64, [200, 100, 50]) else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 dicom.py 2>log || { [ $? -eq 1 ] && echo 'the pixels are not other ones as described' >&2; exit 1; }
