#!/bin/bash
# libjpeg-turbo decodes a JPEG file at M/8 of its size for M = 1 to 16, and a smaller image is expected to take less time. It has vector code for
# M = 1, 2, 4 and 8 alone: at 5/8 to 7/8 it takes longer than in full, though it makes half the pixels or less.
#
# Seen with: Debian 12, libjpeg62-turbo and libjpeg-turbo-progs 1:2.1.5-2, amd64 with AVX2.
#
# Output seen: "1600x1200, times the time of the full size: 1/8 0.55, 2/8 0.61, 3/8 0.71, 4/8 0.82, 5/8 1.49, 6/8 1.60, 7/8 1.95", within about a
# fifth. Checked is only: 4/8 less than 0.95, and each of 5/8, 6/8, 7/8 more than 1.05.
#
# Needs: apt-get (to download the packages into a temporary folder), python3. Exit status: 0 as described, 1 it behaves differently, 2 it can't be
# looked at.
set -eu
version=1:2.1.5-2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "libjpeg62-turbo=$version" "libjpeg-turbo-progs=$version" && for p in *.deb; do dpkg-deb -x "$p" .; done; } >log 2>&1 \
    || { cat log >&2; echo "libjpeg-turbo $version can't be downloaded" >&2; exit 2; }
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*)
export LD_LIBRARY_PATH
cat >scales.py <<'END'
"""Least processor time of djpeg at each scale, of some rounds in turn, over that of the full size."""
import os
import resource
import subprocess

W, H = 1600, 1200
state, rows = 1, bytearray()
for y in range(H):                        # smooth shades and some noise, as photographs have
    for x in range(W):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        noise = state >> 27
        rows += bytes(((x * 160 // W + noise) & 255, (y * 160 // H + noise) & 255, ((x + y) * 80 // W + noise) & 255))
with open("x.ppm", "wb") as f:
    f.write(b"P6 %d %d 255\n" % (W, H) + rows)
subprocess.run(["usr/bin/cjpeg", "-quality", "85", "-outfile", "x.jpg", "x.ppm"], check=True)

def seconds(m):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(4):
        subprocess.run(["usr/bin/djpeg", "-scale", "%d/8" % m, "-outfile", os.devnull, "x.jpg"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime

least = {m: 1e9 for m in range(1, 9)}
for _ in range(8):
    for m in least:
        least[m] = min(least[m], seconds(m))
ratio = {m: least[m] / least[8] for m in range(1, 8)}
print("%dx%d, times the time of the full size: %s" % (W, H, ", ".join("%d/8 %.2f" % (m, ratio[m]) for m in ratio)))
raise SystemExit(0 if ratio[4] < .95 and min(ratio[5], ratio[6], ratio[7]) > 1.05 else 1)
END
python3 scales.py 2>log || { [ $? -eq 1 ] && echo 'the scales are not as fast as described' >&2; cat log >&2; exit 1; }
