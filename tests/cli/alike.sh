#!/bin/bash
# meta doctor looks for images that seem to show one and the same, and -merge writes groups that have them together.
. tests/lib.sh
t=$TMP_TEST/t
mkdir -p "$t"/{k0,k1,k2,k3,backup}
quiet() { "$@" >"$t/out" 2>"$t/err"; }

# spots FILE NUMBER [flip|turn]: a picture of 80x80 of its own for each number; flip: left for right, and brighter; turn: by a
# sixth of a circle, from a little nearer
spots()
{
    LC_ALL=C awk -v n="$2" -v flip="${3:-}" 'BEGIN {
        srand(n + 100)
        for (i = 0; i < 6400; i++) v[i] = 120
        for (s = 0; s < 60; s++) {
            y0 = int(80 * rand()); x0 = int(80 * rand()); r = 3 + int(8 * rand()); level = 30 + int(150 * rand())
            for (y = y0 - r; y <= y0 + r; y++)
                for (x = x0 - r; x <= x0 + r; x++)
                    if (y >= 0 && y < 80 && x >= 0 && x < 80 && (y - y0) ^ 2 + (x - x0) ^ 2 < r * r) v[y * 80 + x] = level
        }
        printf "P5 80 80 255\n"
        for (y = 0; y < 80; y++) for (x = 0; x < 80; x++) {
            if (flip == "turn") {
                sy = int(40.5 + (.5 * (y - 40) + .866 * (x - 40)) / 1.2); sx = int(40.5 + (.5 * (x - 40) - .866 * (y - 40)) / 1.2)
                inside = sy >= 0 && sy < 80 && sx >= 0 && sx < 80
                printf "%c", inside ? v[sy * 80 + sx] : 120
            } else printf "%c", flip ? v[y * 80 + 79 - x] * .9 + 40 : v[y * 80 + x]
        }
    }' >"$1"
}
for c in 0 1 2 3; do for k in 0 1 2 3 4 5; do spots "$t/k$c/$k.pgm" $((10 * c + k)); done; done
ls "$t"/k[01]/*.pgm >"$t/train.list"
ls "$t"/k[23]/*.pgm >"$t/test.list"
printf '/k%d/\n' 0 1 2 3 >"$t/labels"
printf 'classes=4\nlabels=%s\ntrain=%s\ntest=%s\nbackup=%s\n' "$t/labels" "$t/train.list" "$t/test.list" "$t/backup" >"$t/x.data"
printf '[net]\nwidth=12\nheight=12\nchannels=1\nmax_batches=2\n[episode]\nways=2\nshots=1\nqueries=1\ntasks=1\n[connected]\noutput=2\nactivation=linear\n[softmax]\n[inner_loop]\nsteps=1\ntest_steps=1\norder=1\n' >"$t/n.cfg"
doctor() { "$DARKNET_BIN" meta doctor "$t/x.data" "$t/n.cfg" -seconds .01 -threads 2 "$@"; }

check 'meta doctor runs' quiet doctor
check 'meta doctor finds nothing alike where nothing is' grep -Fxq 'ok       alike       no two images that are not in one group seem to show one and the same' "$t/out"
spots "$t/k2/4.pgm" 20 flip
spots "$t/k3/1.pgm" 3 flip
spots "$t/k1/5.pgm" 32 turn
check 'meta doctor runs where two images are flipped and brighter ones of others' quiet doctor -merge "$t/merged.csv"
check 'meta doctor names the pair in one class' grep -q "^warning  alike       $t/test.list:1: $t/k2/0.pgm and $t/test.list:5: $t/k2/4.pgm seem to show one and the same (correlation [01].[0-9]*), but are not in one group" "$t/out"
check 'meta doctor names the pair in train and test' grep -q "^warning  alike       $t/train.list:4: $t/k0/3.pgm and $t/test.list:8: $t/k3/1.pgm seem to show one and the same" "$t/out"
check 'meta doctor names the pair of which one is turned and from nearer' grep -q "^warning  alike       $t/train.list:12: $t/k1/5.pgm and $t/test.list:9: $t/k3/2.pgm seem to show one and the same" "$t/out"
check 'meta doctor counts the pairs' grep -q '^warning  alike       3 pairs of images seem to show one and the same' "$t/out"
group() { awk -F, -v image="$1" '$1 == image { print $2 }' "$t/merged.csv"; }
check '-merge writes a row for each image' test "$(wc -l <"$t/merged.csv")" -eq 25
check '-merge puts the images of a pair into one group' test "$(group "$t/k2/0.pgm")" = "$(group "$t/k2/4.pgm")"
check '-merge puts all other images into groups of their own' test "$(tail -n +2 "$t/merged.csv" | cut -d, -f2 | sort -u | wc -l)" -eq 21
expect_error "-merge .*/merged\.csv: is there already" doctor -merge "$t/merged.csv"
echo "groups=$t/merged.csv" >>"$t/x.data"
check 'meta doctor reads what -merge has written' quiet doctor
check 'with these groups nothing is alike outside of them' grep -q '^ok       alike       no two images' "$t/out"
check 'a group in two lists is a warning then' grep -q '^warning  lists       2 groups have images in train and in test' "$t/out"

# Names of groups stay, and chains are one group.
for c in 0 1 2 3; do for k in 0 1 2 3 4 5; do echo "k$c/$k.pgm;\"lesion $c,$((k / 2))\""; done; done >"$t/own.csv"
sed -i "s#^groups=.*#groups=$t/own.csv#" "$t/x.data"
check 'meta doctor merges groups that are there' quiet doctor -merge "$t/both.csv"
check '-merge unites groups by the first name' test "$(grep -c '"lesion 2,0"$' "$t/both.csv")" -eq 4
check '-merge leaves other groups as they were' test "$(grep -c '"lesion 1,1"$' "$t/both.csv")" -eq 2

# Pages of one file are in one group, whatever they show
spots "$t/first.pgm" 77
spots "$t/second.pgm" 77 flip
check 'a TIFF file of two pages is made' /usr/bin/python3 -c "
import sys; sys.path.insert(0, 'tests')
from image_files import *
tiff('$t/k0/two.tif', *(tiff_page(read_pnm('$t/%s.pgm' % name), 8, 1) for name in ('first', 'second')))"
printf '%s\n' "$t/k0/two.tif[0]" "$t/k0/two.tif[1]" >>"$t/train.list"
check 'meta doctor runs with two pages of one file' quiet doctor
check 'meta doctor calls them no pair' sh -c "! grep '^warning  alike' '$t/out' | grep -q two.tif"
