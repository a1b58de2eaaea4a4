#!/bin/bash
# DCMTK rescales gray values to whole numbers: where Rescale Slope is far below 1, as in maps of diffusion or uptake, next to nothing is left of
# the picture, though the standard's rescaling is of real numbers and the stored values have all of it.
#
# Seen with: Debian 12, dcmtk and libdcmtk17 3.6.7-9~deb12u4, amd64.
#
# Output seen, of 256 stored values from 0 to 4080, the numbers of gray levels that dcm2pnm makes:
# "slope 1: 256, slope 0.001: 5, slope 0.001 and a window of centre 2.5 and width 2: 3, slope 0.0001: 1".
#
# Needs: apt-get (to download the packages into a temporary folder), python3, and dcmtk, which brings the libraries they depend on.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
shopt -s inherit_errexit
version=3.6.7-9~deb12u4
command -v dcm2pnm >/dev/null || { echo 'dcmtk is not installed' >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "dcmtk=$version" "libdcmtk17=$version" && for file in ./*.deb; do dpkg-deb -x "$file" .; done; } >log 2>&1 \
    || { cat log >&2; echo "dcmtk $version can't be downloaded" >&2; exit 2; }

cat >dicom.py <<'END'
"""Writes a secondary capture of 16x16 pixels of 12 bits in explicit little endian: x.dcm SLOPE [CENTRE WIDTH]"""
import struct
import sys

CLASS = b"1.2.840.10008.5.1.4.1.1.7\0"

def element(group, number, kind, value):
    value += (b"\0" if kind in (b"UI", b"OB") else b" ") * (len(value) % 2)
    length = struct.pack("<HI", 0, len(value)) if kind in (b"OB", b"OW") else struct.pack("<H", len(value))
    return struct.pack("<HH", group, number) + kind + length + value

short = lambda x: struct.pack("<H", x)
words = [x.encode() for x in sys.argv[1:]]
window = [(0x28, 0x1050, b"DS", words[1]), (0x28, 0x1051, b"DS", words[2])] if len(words) > 1 else []
body = [(8, 0x16, b"UI", CLASS), (8, 0x18, b"UI", b"1.2.3.4\0"), (8, 0x60, b"CS", b"OT"), (0x20, 0xd, b"UI", b"1.2.3\0"),
        (0x20, 0xe, b"UI", b"1.2.3.1\0"), (0x28, 2, b"US", short(1)), (0x28, 4, b"CS", b"MONOCHROME2"), (0x28, 0x10, b"US", short(16)),
        (0x28, 0x11, b"US", short(16)), (0x28, 0x100, b"US", short(16)), (0x28, 0x101, b"US", short(12)), (0x28, 0x102, b"US", short(11)),
        (0x28, 0x103, b"US", short(0)), *window, (0x28, 0x1052, b"DS", b"0"), (0x28, 0x1053, b"DS", words[0]),
        (0x7fe0, 0x10, b"OW", b"".join(short(16 * i) for i in range(256)))]
meta = b"".join(element(2, *e) for e in ((1, b"OB", b"\0\1"), (2, b"UI", CLASS), (3, b"UI", b"1.2.3.4\0"), (0x10, b"UI", b"1.2.840.10008.1.2.1\0"),
                                         (0x12, b"UI", b"1.2.3.9\0")))
with open("x.dcm", "wb") as f:
    f.write(bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + b"".join(element(*e) for e in body))
END

# levels HOW SLOPE [CENTRE WIDTH]: how many gray levels dcm2pnm makes of the file
levels()
{
    python3 dicom.py "${@:2}" 2>>log || { cat log >&2; exit 2; }
    LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*-linux-gnu) DCMDICTPATH=$(echo "$tmp"/usr/share/*dcmtk*/dicom.dic) \
        usr/bin/dcm2pnm +op $1 x.dcm x.pgm 2>>log || { cat log >&2; exit 2; }
    python3 -c 'print(len(set(open("x.pgm", "rb").read()[-256:])))'
}
plain=$(levels +Wm 1)
small=$(levels +Wm 0.001)
windowed=$(levels '+Wi 1' 0.001 2.5 2)
smaller=$(levels +Wm 0.0001)
seen="slope 1: $plain, slope 0.001: $small, slope 0.001 and a window of centre 2.5 and width 2: $windowed, slope 0.0001: $smaller"
echo "$seen"
[ "$seen" = 'slope 1: 256, slope 0.001: 5, slope 0.001 and a window of centre 2.5 and width 2: 3, slope 0.0001: 1' ] ||
    { echo 'it rescales otherwise than described' >&2; exit 1; }
