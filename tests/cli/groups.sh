#!/bin/bash
# groups: rows by path, as spreadsheets write them, in a test
. tests/lib.sh
. tests/noise.sh
t=$TMP_TEST/t
mkdir -p "$t/backup"
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$t/out" 2>"$t/err"; }

# Four classes of twelve images with the same names in each
noise "$t" / 5
printf '/k%d/\n' 0 1 2 3 >"$t/labels"
printf 'classes=4\nlabels=%s\ntrain=%s\ntest=%s\nbackup=%s\ngroups=%s\n' "$t/labels" "$t/train.list" "$t/test.list" "$t/backup" "$t/g.csv" >"$t/x.data"
noise_cfg 2 >"$t/n.cfg"
rows() { for c in 0 1 2 3; do for k in 0 1 2 3 4 5 6 7 8 9 10 11; do printf "$1" "k$c/$k.pgm" "g$c-$((k / 2))"; done; done; }
train() { darknet meta train "$t/x.data" "$t/n.cfg" -threads 1; }
asked() { darknet meta test "$t/x.data" "$t/n.cfg" "$t/backup/n_final.weights" -runs 100 -threads 2; }

rows '%s,%s\n' >"$t/g.csv"
check 'meta train runs where rows have folders' quiet train
check 'meta test runs where rows have folders' quiet asked
check 'images of one name in two folders are in the groups of their paths' grep -q 'as if the 12 groups of the images' "$t/out"
cp "$t/out" "$t/commas"
{ printf '\xef\xbb\xbf"image";"lesion"\r\n'; rows '"%s";"%s"\r\n'; } >"$t/g.csv"
check 'meta test reads quoted fields between semicolons' quiet asked
check 'which gives the same figures' test "$(grep -v ' MB[ ,]' "$t/out")" = "$(grep -v ' MB[ ,]' "$t/commas")"
{ echo image,class,group; rows '%s,nevus,%s\n'; } >"$t/g.csv"
check 'meta test reads the column of the groups behind that of classes' quiet asked
check 'which gives the same figures, too' test "$(grep -v ' MB[ ,]' "$t/out")" = "$(grep -v ' MB[ ,]' "$t/commas")"
{ echo group,image; rows '%s,%s\n' | awk -F, '{ print $2 "," $1 }'; } >"$t/g.csv"
check 'meta test reads columns in another order' quiet asked
check 'with the same figures' test "$(grep -v ' MB[ ,]' "$t/out")" = "$(grep -v ' MB[ ,]' "$t/commas")"
{ echo image,class; rows '%s,%s\n'; } >"$t/g.csv"
expect_error 'g.csv:1: names no column group: must be image,group' asked
rows '%s,%s\n' | grep -v 'k[23]/[01].pgm' >"$t/g.csv"
check 'meta test runs where some images are in no group' quiet asked
check 'meta test counts them in one line' grep -Fxq "darknet: warning: $t/test.list: 4 of the 24 images are in no group of $t/g.csv: each counts as unlike any other" "$t/err"
check 'meta train says nothing where all images are in groups' sh -c "! '$DARKNET_BIN' meta train '$t/x.data' '$t/n.cfg' -threads 1 2>&1 | grep 'in no group'"
rows '%s,%s\n' | sed 's#^k./##' | head -n 12 >"$t/g.csv"
expect_error "g\.csv:1: 0\.pgm is the name of .*/k2/0\.pgm and of .*/k3/0\.pgm, lines 1 and 13 of .*test\.list: must have their folders" asked
printf 'classes=2\nlabels=%s\ntrain=%s\ngroups=%s\n' "$t/two" "$t/few.list" "$t/g.csv" >"$t/few.data"
printf '/k0/\n/k1/\n' >"$t/two"
for c in 0 1; do for k in 0 1 2; do echo "$t/k$c/$k.pgm"; done; done >"$t/few.list"
printf 'file,class,group\nk0/0.pgm,nevus,a\nk0/1.pgm,nevus,a\n' >"$t/g.csv"
expect_error "g\.csv:1: is no image of .*few\.list, and names no column image: must be image,group, and with more columns a first line with these words$" darknet meta adapt "$t/few.data" "$t/n.cfg" "$t/backup/n_final.weights" -out "$t/few" -threads 1
mkdir "$t/own"
cp -r "$t/k0" "$t/k1" "$t/own"
expect_error "g\.csv:1: is no image of .*own, and names no column image" darknet meta adapt "$t/own" "$t/n.cfg" "$t/backup/n_final.weights" -out "$t/new" -groups "$t/g.csv" -threads 1
expect_error "g\.csv:1: is no image of .*own, and names no column image" darknet meta lists "$t/own" "$t/lists" -groups "$t/g.csv"
printf 'k0/0.pgm,a\nk0/1.pgm,a\n' >"$t/g.csv"
check 'meta adapt runs with groups' quiet darknet meta adapt "$t/few.data" "$t/n.cfg" "$t/backup/n_final.weights" -out "$t/few" -threads 1
check 'meta adapt counts images in no group' grep -q '^darknet: warning: .*few.list: 4 of the 6 images are in no group of ' "$t/err"

# Lines that end in CR alone, as of an old spreadsheet
sed "s#^groups=.*#groups=$t/cr.csv#" "$t/x.data" >"$t/cr.data"
cr() { darknet meta test "$t/cr.data" "$t/n.cfg" "$t/backup/n_final.weights" -runs 2 -threads 1; }
{ echo file,class,lesion; rows '%s,nevus,%s\n'; } | tr '\n' '\r' >"$t/cr.csv"
expect_error 'cr\.csv:1: is no image of .*, and names no column image' cr
{ echo 'sep=;'; echo '"image";"group";"a
b"'; rows '%s;%s\n' | head -n 3; echo one; } | tr '\n' '\r' >"$t/cr.csv"
expect_error 'cr\.csv:7: has one field: must be image,group' cr
{ echo image,group; rows '%s,%s\n' | head -n 3; echo one; } | tr '\n' '\r' >"$t/cr.csv"
expect_error 'cr\.csv:5: has one field: must be image,group' cr
