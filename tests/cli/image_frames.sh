# Pages of TIFF files and frames of DICOM files as images: FILE[N] in lists, groups, the cache, doctor and predict; and decoders that die.
. tests/lib.sh
. tests/toy.sh
command -v /usr/bin/python3 >/dev/null || { skip 'pages as images' 'no python3'; exit; }
a=$TMP_TEST/a
toy "$a"
sed -i 's/^max_batches=.*/max_batches=4/; s/^steps=6,9/steps=2,3/; s/^burn_in=.*/burn_in=0/; s/^start=.*/start=2/' "$a/toy.cfg"
# Two of a class's images a file: k_0.tif has k_0 and k_1, which groups.csv puts together for the single files
/usr/bin/python3 - "$a" <<'END'
import sys
sys.path.insert(0, 'tests')
from image_files import *
a = sys.argv[1]
rows = []
for c in range(8):
    for k in range(0, 16, 2):
        pages = [read_pnm('%s/images/c%d_%d.pgm' % (a, c, n)) for n in (k, k + 1)]
        tiff('%s/images/c%d_%d.tif' % (a, c, k), *[tiff_page(p, 8, 1) for p in pages])
        rows += ['c%d_%d.pgm,%d' % (c, n, len(rows) // 2) for n in (k, k + 1)]
open(a + '/groups.csv', 'w').write('\n'.join(rows) + '\n')
for name in 'train', 'valid', 'test':
    out = []
    for line in open('%s/%s.list' % (a, name)):
        stem, n = line.strip()[:-4].rsplit('_', 1)
        out.append('%s_%d.tif[%d]\n' % (stem, int(n) // 2 * 2, int(n) % 2))
    open('%s/pages-%s.list' % (a, name), 'w').write(''.join(out))
END
sed "s#\(=$a/\)\([a-z]*\)\.list#\1pages-\2.list#; s#^backup=.*#backup=$a/pages#" "$a/toy.data" >"$a/pages.data"
{ cat "$a/toy.data"; echo "groups=$a/groups.csv"; } >"$a/grouped.data"
darknet() { "$DARKNET_BIN" meta "$@"; }
same() { cmp "$a/$1" "$a/$2"; }
check 'single files in groups of two are trained on' darknet train "$a/grouped.data" "$a/toy.cfg"
check 'pages of files of two are trained on' darknet train "$a/pages.data" "$a/toy.cfg"
check 'pages of one file are in one group: the same weights' same backup/toy_final.weights pages/toy_final.weights
check 'pages are kept in the cache, each its own' test -s "$a/pages-train.list.15x1.cache"
mv "$a/pages/toy_final.weights" "$a/first.weights"
rm -rf "$a/pages"
check 'pages from the cache are trained on' darknet train "$a/pages.data" "$a/toy.cfg"
check 'pages from the cache: the same weights' same first.weights pages/toy_final.weights
sed 's/^shots=.*/shots=15/; s/^queries=.*/queries=1/' "$a/toy.cfg" >"$a/many.cfg"
expect_error 'group' darknet train "$a/pages.data" "$a/many.cfg"

# The same image by two names, and one file in two lists
{ cat "$a/pages-train.list"; echo "$a/images/c0_0.tif"; } >"$a/twice.list"
sed "s#^train=.*#train=$a/twice.list#" "$a/pages.data" >"$a/twice.data"
expect_error 'twice.list:65: .*c0_0\.tif: is the file of line 1, .*/c0_0\.tif\[0\], by another name' darknet train "$a/twice.data" "$a/toy.cfg"
{ cat "$a/pages-test.list"; echo "$a/images/c0_0.tif[1]"; } >"$a/test-more.list"
grep -v 'c0_0.tif\[1\]' "$a/pages-train.list" >"$a/train-less.list"
sed "s#^train=.*#train=$a/train-less.list#; s#^test=.*#test=$a/test-more.list#" "$a/pages.data" >"$a/leak.data"
darknet doctor "$a/leak.data" "$a/toy.cfg" -threads 2 -seconds .01 >"$a/out" 2>&1
check 'doctor tells of a file that two lists have pages of' grep -q '1 image of test is the same as one of train, or of one file with it, such as .*c0_0\.tif\[1\] and .*c0_0\.tif\[0\]' "$a/out"

# A test list that has another page of a file of the train list, and one that has the same page, too
grep -v 'c6_0.tif\[0\]' "$a/pages-test.list" >"$a/test-page.list"
{ cat "$a/pages-train.list"; echo "$a/images/c6_0.tif[0]"; } >"$a/train-page.list"
sed "s#^train=.*#train=$a/train-page.list#; s#^test=.*#test=$a/test-page.list#" "$a/pages.data" >"$a/page.data"
warned() { darknet test "$a/$1.data" "$a/toy.cfg" "$a/first.weights" -runs 1 >"$a/out" 2>"$a/err" || return; grep -F "$2" "$a/err"; }
check 'meta test tells of another page of a file as that' warned page "1 of its 31 images is in $a/train-page.list, too, by another image of the same file, such as $a/images/c6_0.tif[1] "
{ cat "$a/train-page.list"; echo "$a/images/c7_2.tif[1]"; } >"$a/train-both.list"
sed "s#^train=.*#train=$a/train-both.list#; s#^test=.*#test=$a/test-page.list#" "$a/pages.data" >"$a/both.data"
check 'where the same page is there, too, it is named' warned both "3 of its 31 images are in $a/train-both.list, too, or another image of the same file is, such as $a/images/c7_2.tif[1] "

# groups: a row of the file for all pages, a row of a page for that one
printf 'image,group\n' >"$a/file.csv"
for c in 0 1 2 3 4 5 6 7; do for k in 0 2 4 6 8 10 12 14; do echo "c${c}_$k.tif,$c-$k"; done; done >>"$a/file.csv"
{ cat "$a/pages.data"; echo "groups=$a/file.csv"; } >"$a/rows.data"
rm -rf "$a/pages"
check 'groups that name files' darknet train "$a/rows.data" "$a/toy.cfg"
check 'groups that name files: the same weights' same first.weights pages/toy_final.weights

# predict
printf 'c6_\nc7_\n' >"$a/two"
printf '%s\n' "$a"/images/c[67]_[0-4].pgm >"$a/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two" "$a/few.list" >"$a/few.data"
check 'a network for predict' darknet adapt "$a/few.data" "$a/toy.cfg" "$a/first.weights" -out "$a/net"
predict() { darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$@" -csv 2>"$a/err" | cut -d, -f2-; }
predict "$a/images/c6_8.pgm" "$a/images/c6_9.pgm" "$a/images/c6_8.pgm" >"$a/single"
predict "$a/images/c6_8.tif" "$a/images/c6_8.tif[1]" "$a/images/c6_8.tif[0]" >"$a/paged"
check 'predict: the same probabilities of pages' same single paged
check 'predict: there are some' test "$(wc -l <"$a/paged")" = 4
expect_error '^darknet: .*/c6_8\.tif\[2\]: has no page 2: must be 0 to 1, of 2$' darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/images/c6_8.tif[2]"
expect_error '^darknet: .*/c6_8\.pgm\[1\]: has one image, whose number is 0, not 1$' darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/images/c6_8.pgm[1]"
mkdir "$a/folder" && cp "$a/images/c6_8.tif" "$a/folder" && cp "$a/images/c7_8.tif" "$a/folder/c7_8.TIFF"
check 'predict: the TIFF files of a folder' test "$(predict "$a/folder" | wc -l)" = 3
if [ -e "$DARKNET_DIR/libdarknet-meta-dicom.so" ]; then
    for name in IM000001 1.2.840.7 other.x; do
        /usr/bin/python3 -c "
import sys; sys.path.insert(0, 'tests')
from dicom_files import *
from image_files import *
w, h, n, s = read_pnm('$a/images/c6_8.pgm')
dicom('$a/folder/$name', w, h, s, more=[(0x28, 0x1050, 'DS', '127.5'), (0x28, 0x1051, 'DS', '256')])"
    done
    predict "$a/folder" >"$a/dicom"
    check 'predict: DICOM files of a folder need no ending' test "$(wc -l <"$a/dicom")" = 5 -a "$(sed -n 2p "$a/dicom")" = "$(sed -n 2p "$a/single")"
    check 'predict: other files of the folder are named' grep -q 'other\.x: not read: its name ends in none of \.jpg' "$a/err"
    cp "$a/folder/IM000001" "$a/folder/DICOMDIR"
    check "predict: the index of a CD's images is none" test "$(predict "$a/folder" | wc -l)" = 5
    rm "$a/folder/DICOMDIR"
    cp "$a/folder/1.2.840.7" "$a/folder/1.2.840.8"
    check 'heat maps of files whose names are UIDs' darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/folder/1.2.840.7" "$a/folder/1.2.840.8" "$a/folder/1.2.840.8[0]" -heat "$a/uids"
    check 'heat maps of UIDs have all of their digits' test "$(cd "$a/uids" && echo *)" = '1.2.840.7.png 1.2.840.8.png 1.2.840.8[0].png'
else skip 'predict: DICOM files of a folder' 'built without libdcmtk-dev'; fi
check 'heat maps of two pages' darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/images/c6_8.tif[0]" "$a/images/c6_8.tif[1]" -heat "$a/heat"
mkdir "$a/twin" && cp "$a/images/c6_8.tif" "$a/twin"
expect_error '/images/c6_8\.tif\[1\] and .*/twin/c6_8\.tif\[1\]: would both be .*/heat/c6_8\[1\]\.png: must have different names$' darknet predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$a/images/c6_8.tif[1]" "$a/twin/c6_8.tif[1]" -heat "$a/heat"
check 'heat maps have the pages in their names' test -s "$a/heat/c6_8[0].png" -a -s "$a/heat/c6_8[1].png"

# evaluate: other pages of the files that a classifier has learned from
pages() { echo image,class; for k in 0 2 4; do printf 'images/c6_%d.tif[%d],six\nimages/c7_%d.tif[%d],seven\n' $k "$1" $k "$1"; done; }
pages 0 >"$a/firsts.csv"
pages 1 >"$a/seconds.csv"
check 'a classifier of the first pages of files' darknet adapt "$a/firsts.csv" "$a/toy.cfg" "$a/first.weights" -out "$a/paged"
check 'it is evaluated on their second pages' eval 'darknet evaluate "$a/paged.cfg" "$a/paged.weights" "$a/seconds.csv" -json "$a/paged.json" -html "$a/paged.html" 2>"$a/err"'
check 'evaluate warns of other pages of files that were learned from' \
    grep -q 'warning: 6 of the 6 images are of groups with other pages of files that the classifier has learned from: the figures are too good$' "$a/err"
check 'the page of evaluate tells of them, too' grep -q '6 of the images are of groups with other pages of files' "$a/paged.html"
check 'JSON counts them' grep -q '"beside_learned":[[:space:]]*6' "$a/paged.json"
{ echo image,class; for k in 10 12 14; do printf 'images/c6_%d.pgm,six\nimages/c7_%d.pgm,seven\n' $k $k; done; } >"$a/others.csv"
chosen_on() { darknet evaluate "$a/paged.cfg" "$a/paged.weights" "$a/others.csv" -sensitivity .9 -chosen_on "$1"; }
expect_error "^darknet: $a/seconds\.csv: the classifier has learned from other images of the files of 6 of its images, such as $a/images/c6_0\.tif\[1\]: thresholds must be chosen on images that it has not learned from\$" chosen_on "$a/seconds.csv"
expect_error "^darknet: $a/firsts\.csv: the classifier has learned from 6 of its images, such as $a/images/c6_0\.tif\[0\]: thresholds" chosen_on "$a/firsts.csv"
{ cat "$a/seconds.csv"; sed -n 4p "$a/firsts.csv"; } >"$a/mixed.csv"
expect_error "^darknet: $a/mixed\.csv: the classifier has learned from 7 of its images, or from other images of their files, such as $a/images/c6_2\.tif\[0\]: thresholds" chosen_on "$a/mixed.csv"
sed 's/_[024]\.tif/_8.tif/' "$a/seconds.csv" | awk '!seen[$0]++' >"$a/fresh.csv"
check 'thresholds are chosen on pages of other files' eval 'chosen_on "$a/fresh.csv"'

# Decoders that die, hang up, or are not there
other=$TMP_TEST/other
mkdir "$other"
for file in darknet plugins libdarknet-meta-opencv.so libdarknet-meta-codecs.so; do cp -r "$DARKNET_DIR/$file" "$other"; done
[ "$DARKNET_BIN" = "$DARKNET_DIR/darknet" ] || cp "$DARKNET_BIN" "$other/darknet"
elsewhere() { "$other/darknet" meta predict "$a/net.cfg" "$a/net.weights" "$a/few.data" "$@"; }
expect_error '^darknet: .*/c6_8\.tif: .*/darknet-meta-decoder: can.t be started: No such file or directory$' elsewhere "$a/images/c6_8.tif"
printf '#!/bin/sh\nkill -SEGV $$\n' >"$other/darknet-meta-decoder"
chmod +x "$other/darknet-meta-decoder"
expect_error '^darknet: .*/c6_8\.tif: can.t be decoded: its decoder ended by signal 11, Segmentation fault: it is damaged$' elsewhere "$a/images/c6_8.tif"
printf '#!/bin/sh\nkill -PROF $$\n' >"$other/darknet-meta-decoder"
expect_error '^darknet: .*/c6_8\.tif: takes more than 60 seconds to decode: it is damaged, or too large$' elsewhere "$a/images/c6_8.tif"
printf '#!/bin/sh\nexit 3\n' >"$other/darknet-meta-decoder"
expect_error '^darknet: .*/c6_8\.tif: can.t be decoded: its decoder ended$' elsewhere "$a/images/c6_8.tif"
check 'the images beside one whose decoder dies are read' eval 'test "$(elsewhere "$a/images/c6_8.tif" "$a/images/c6_8.pgm" -csv 2>/dev/null | wc -l)" = 2'
cp "$DARKNET_DIR/darknet-meta-decoder" "$other"
printf '%0128d%s%01000d' 0 DICM 0 >"$a/x.dcm"
expect_error '^darknet: .*/x\.dcm: .*/libdarknet-meta-dicom\.so: can.t be loaded: No such file or directory: make builds it where the package libdcmtk-dev is installed$' elsewhere "$a/x.dcm"
