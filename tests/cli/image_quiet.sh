# Damaged images are told in one line, ours: nothing of libpng's, libjpeg's or OpenCV's own comes before it, and good files are read without a word.
. tests/lib.sh
. tests/toy.sh

if ! command -v python3 >/dev/null; then skip 'damaged images' 'no python3'; exit; fi
no_charts
a=$TMP_TEST/a
toy "$a"
cat >"$TMP_TEST/make.py" <<'END_PY'
"""Writes images of 12x12 pixels, good ones and damaged ones, into the folder named."""
import struct
import sys
import zlib

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

def png(raw=None, depth=8, colours=0, interlaced=0, extra=b"", packed=None):
    raw = raw if raw is not None else b"".join(b"\0" + bytes((x * y * 7) % 256 for x in range(12)) for y in range(12))
    header = struct.pack(">IIBBBBB", 12, 12, depth, colours, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed or zlib.compress(raw)) + chunk(b"IEND", b"")

def bmp(bits=8, compression=0, data=bytes(144), used=0, palette=None, length=40, offset=None):
    palette = bytes(4 << bits) if palette is None else palette
    start = 14 + 40 + len(palette) if offset is None else offset
    return (b"BM" + struct.pack("<IHHI", 54 + len(palette) + len(data), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", length, 12, 12, 1, bits, compression, len(data), 0, 0, used, 0) + palette + data)

good = zlib.compress(b"".join(b"\0" + bytes(12) for _ in range(12)))
runs = b"\x0c\x05\0\0" * 12 + b"\0\1"
files = {
    "good.png": png(),
    "profile.png": png(extra=chunk(b"iCCP", b"a\0\0" + zlib.compress(b"no profile"))),
    "gamma.png": png(extra=chunk(b"gAMA", struct.pack(">I", 0)) + chunk(b"sRGB", b"\7") + chunk(b"tIME", b"1")),
    "runs.bmp": bmp(8, 1, runs),
    "good.bmp": bmp(),
    "check.png": png(packed=good[:-1] + bytes([good[-1] ^ 1])),
    "filter.png": png(raw=b"".join(b"\x09" + bytes(12) for _ in range(12))),
    "short.png": png(raw=bytes(50)),
    "depth.png": png(depth=3),
    "colours.png": png(colours=5),
    "interlaced.png": png(interlaced=7),
    "palette.png": png(colours=3),
    "stream.png": png(packed=b"no zlib stream"),
    "compression.bmp": bmp(8, 7),
    "wide_compression.bmp": bmp(8, 1 << 16),
    "used.bmp": bmp(8, 0, used=257),
    "cut_palette.bmp": bmp(8, 1, b"", palette=bytes(16)),
    "header.bmp": bmp(24, 0, bytes(432), palette=b"", length=0),
    "cut_runs.bmp": bmp(8, 1, runs[:20]),
    "cut_row.bmp": bmp(8, 1, b"\0\x0c123"),
    "far_runs.bmp": bmp(8, 1, runs, offset=1 << 30),
    "half_runs.bmp": bmp(4, 2, b"\x0c\x12\0\0\0\1"),
    "zero.pgm": b"P5\0 12 12 255\n" + bytes(144),
    "digits.pgm": b"P5 12\0 12 255\n" + bytes(144),
}
for name, data in files.items():
    open(sys.argv[1] + "/" + name, "wb").write(data)
END_PY
python3 "$TMP_TEST/make.py" "$a/images"
printf 'classes=2\nlabels=%s/l2\ntrain=%s/few.list\n' "$a" "$a" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/l2"
(head -2 "$a/test.list"; tail -2 "$a/test.list") >"$a/few.list"
check 'the network of the images is trained' train "$a" -max_batches 1 -valid_every 0
check 'the network of the images is adapted' "$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$a/backup/toy_final.weights" -out "$a/net"
predict() { "$DARKNET_BIN" meta predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$@"; }
for name in good.png profile.png gamma.png runs.bmp good.bmp; do
    check "$name is read without a word" sh -c '"$@" 2>&1 >/dev/null | { ! grep -v "^darknet: warning: .*: unlike the images of "; }' - "$DARKNET_BIN" meta predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/images/$name"
done
# damaged NAME REASON
damaged() { expect_error "^darknet: $a/images/$1: $2\$" predict "$a/images/$1"; }
damaged check.png 'corrupt PNG: IDAT: incorrect data check'
damaged filter.png 'corrupt PNG: bad adaptive filter value'
damaged short.png 'corrupt PNG: Not enough image data'
damaged depth.png 'corrupt PNG: Invalid IHDR data'
damaged colours.png 'corrupt PNG: Invalid IHDR data'
damaged interlaced.png 'corrupt PNG: Invalid IHDR data'
damaged palette.png 'corrupt PNG: .*PLTE.*'
damaged stream.png 'corrupt PNG: IDAT: incorrect header check'
damaged compression.bmp 'BMP with compression 7: must be 0 to 3'
damaged wide_compression.bmp 'BMP with compression 65536: must be 0 to 3'
damaged used.bmp 'corrupt BMP: a palette of 257 colours'
damaged cut_palette.bmp 'corrupt BMP: it ends inside its palette'
damaged header.bmp 'corrupt BMP: a header of 0 bytes'
damaged cut_runs.bmp 'corrupt BMP: its runs end before its last row'
damaged cut_row.bmp 'corrupt BMP: its runs end before its last row'
damaged far_runs.bmp 'corrupt BMP: its runs end before its last row'
damaged half_runs.bmp 'corrupt BMP: its runs end before its last row'
damaged zero.pgm 'corrupt PGM or PPM: no header'
damaged digits.pgm 'corrupt PGM or PPM: no header'
printf '\377\330\377\340 no JPEG' >"$a/images/bad.jpg"
damaged bad.jpg 'corrupt JPEG: .*'
