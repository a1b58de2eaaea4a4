#!/bin/bash
# .data files, lists and groups that can't be used: one line that says where and what is allowed, and nothing written.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
run() { "$DARKNET_BIN" meta train "$a/bad.data" "$a/toy.cfg" "$@"; }

# data SED: writes bad.data, which is toy.data changed by SED
data() { sed "$1" "$a/toy.data" >"$a/bad.data"; }
data '$a results=x'
expect_error "^darknet: $a/bad\.data:7: .*results" run
data '$a train=x'
expect_error "^darknet: $a/bad\.data:7: .*train" run
data 's/^classes=.*/classes=eight/'
expect_error "^darknet: $a/bad\.data:1: .*classes=eight: must be" run
data 's/^classes=.*/classes=0/'
expect_error "^darknet: $a/bad\.data:1: .*classes=0: must be" run
data 's/^classes=.*/classes=9/'
expect_error "^darknet: $a/bad\.data:1: classes=9, but $a/labels has 8 labels: must be the same number$" run
data '/^classes/d'
expect_error "^darknet: $a/bad\.data: classes is missing: must be the number of classes$" run
data '/^labels/d'
expect_error "^darknet: $a/bad\.data: labels is missing: must name a file" run
data "s#^labels=.*#labels=$a/none#"
expect_error "^darknet: $a/bad\.data:2: labels: $a/none: No such file or directory$" run
data "\$a names=$a/names"
printf 'one\ntwo\n' >"$a/names"
expect_error "^darknet: $a/bad\.data:1: classes=8, but $a/names has 2 names: must be the same number$" run
data 's/^backup/backup:/'
expect_error "^darknet: $a/bad\.data:6: " run
expect_error "^darknet: $a/none\.data: " "$DARKNET_BIN" meta train "$a/none.data" "$a/toy.cfg"

# list SED: writes bad.list, which is the training list changed by SED, and a bad.data that names it
list() { sed "$1" "$a/train.list" >"$a/bad.list"; sed "s#^train=.*#train=$a/bad.list#" "$a/toy.data" >"$a/bad.data"; }
list d
expect_error "^darknet: $a/bad\.list: has no images: must have a path on each line$" run
list '3s#.*#x/y.png#'
expect_error "^darknet: $a/bad\.list:3: x/y\.png: has no label in its path: must have one of c0_, c1_, c2_, c3_, c4_, c5_, c6_, c7_$" run
list '3s#.*#c0_c1_.png#'
expect_error "^darknet: $a/bad\.list:3: c0_c1_\.png: has labels c0_ and c1_ in its path: must have exactly one$" run
list '1~16!{/c2_/d}'
expect_error "^darknet: $a/bad\.list: class c2_ has 1 image: shots=2 and queries=3 need at least 5$" run
list '/c[123]_/d'
expect_error "^darknet: $a/bad\.list: has images of 1 class: ways=2 needs at least 2$" run
list ''
rm "$a/bad.list"
expect_error "^darknet: $a/bad\.data:3: train: $a/bad\.list: No such file or directory$" run

# What Windows writes is read
list 's/$/\r/; 5G'
sed -i 's/$/\r/; 1i # data\r\n' "$a/bad.data"
sed 's/$/\r/' "$a/labels" >"$a/labels.crlf"
sed -i "s#^labels=.*#labels = $a/labels.crlf   \# CRLF\r#" "$a/bad.data"
check 'a .data file and a list with CRLF, comments and blank lines are read' run -max_batches 1

# Groups: a class has 16 images, of which a task takes 2 + 3.
groups() { list ''; echo "groups=$a/groups.csv" >>"$a/bad.data"; }
groups
expect_error "^darknet: $a/bad\.data:7: groups: $a/groups\.csv: No such file or directory$" run
{ echo 'image,group'; sed 's#.*/\(.*\)\.pgm#\1#; s/.*_\(.*\)/&,g\1/' "$a/train.list"; } >"$a/groups.csv"
expect_error "^darknet: $a/groups\.csv: names none of the [0-9]+ images of $a/valid\.list, such as .*: must be image,group" run
sed 's#.*/\(.*\.pgm\)#\1,\1#' "$a/valid.list" | head -n 20 >>"$a/groups.csv"
check 'groups that classes share are read' run -max_batches 1
cp "$a/groups.csv" "$a/whole.csv"
sed -i 2,6d "$a/groups.csv"
quiet() { "$@" >"$a/out" 2>"$a/err"; }
check 'images in no group do not stop a training' quiet run -max_batches 1
check 'they are told' grep -qx "darknet: warning: $a/bad\.list: 5 of the 64 images are in no group of $a/groups\.csv: each counts as unlike any other" "$a/err"
mv "$a/whole.csv" "$a/groups.csv"
sed -i 's/\r$//; s/$/\r/' "$a/groups.csv"
check 'groups with CRLF are read' run -max_batches 1
sed 's/^c1_\([0-9]*\),.*/c1_\1,all/' "$a/groups.csv" >"$a/g" && mv "$a/g" "$a/groups.csv"
expect_error "^darknet: $a/bad\.list: class c1_ has 16 images in 1 group, the largest of 16: too few to have shots=2 and queries=3 in different groups$" run
echo 'c1_0' >>"$a/groups.csv"
expect_error "^darknet: $a/groups\.csv:86: has one field: must be image,group$" run
sed -i '$d' "$a/groups.csv"
echo 'c1_0,other' >>"$a/groups.csv"
expect_error "^darknet: $a/groups\.csv:86: c1_0 is in group other, but on line 18 in group all: must be in one$" run

check 'runs that cannot train write nothing to the folder of weights' sh -c "! ls '$a/backup' | grep -vE '^(toy\.|toy_final|toy_best|chart_toy)'"
