#!/bin/bash
# Long names: what can't be written is told before work begins, a message keeps its reason, and nothing is left of what failed.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
no_charts
darknet() { "$DARKNET_BIN" "$@"; }
word() { printf "$1%.0s" $(seq "$2"); }
sed -i '/^valid=/d' "$a/toy.data"
sed '/^backup=/d' "$a/toy.data" >"$a/no_backup.data"
check 'meta train trains' train "$a" -max_batches 2 -threads 1
cp "$a/backup/toy_final.weights" "$a/w.weights"
soon() { timeout 20 "$DARKNET_BIN" "$@"; }

# Messages
deep=$a/$(word d 200)/$(word e 230)
mkdir -p "$deep"
for i in 0 1 2; do echo x >"$deep/c0_$i.pgm"; done
ls "$deep"/*.pgm >"$deep/t.list"
sed "s#^train=.*#train=$deep/t.list#" "$a/toy.data" >"$a/deep.data"
expect_error 'eee/t.list:1: .*/ddd.*\[\.\.\.\]e*/c0_0.pgm: is no image: must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file$' darknet meta train "$a/deep.data" "$a/toy.cfg"
expect_error '\[\.\.\.\].*: No such file or directory$' darknet meta train "$(word x/ 1500)y.data" "$a/toy.cfg"
check 'a message is one line of at most 489 bytes' test "$(darknet meta train "$(word x/ 1500)y.data" "$a/toy.cfg" 2>&1 | wc -c)" -le 489

# Trainings
cp "$a/toy.cfg" "$a/$(word n 235).cfg"
rm -r "$a/backup"
expect_error 'n\.\.\.: is too long for the files of a training: 235 bytes' soon meta train "$a/toy.data" "$a/$(word n 235).cfg"
expect_error ': is too long for the files of a training: 210 bytes' soon meta train "$a/toy.data" "$a/toy.cfg" -name "$(word n 210)"
(cat "$a/no_backup.data"; echo "backup=$a/$(word g/ 1900)$(word h 190)") >"$a/path.data"
expect_error "^darknet: $a/g/.*\[\.\.\.\].*: the name is too long for a file that is to be written" soon meta train "$a/path.data" "$a/toy.cfg" -name "$(word n 180)"
check 'a path that is too long leaves no folder' test ! -e "$a/g"
(cat "$a/no_backup.data"; printf 'backup='; head -c 9000000 /dev/zero | tr '\0' a; echo) >"$a/huge.data"
expect_error 'aaa\[\.\.\.\]aaa.*: the name is too long' soon meta train "$a/huge.data" "$a/toy.cfg"
(cat "$a/no_backup.data"; echo "backup=$a/new/folder/$(word h 300)/x") >"$a/half.data"
expect_error ': can.t make the folder: File name too long' soon meta train "$a/half.data" "$a/toy.cfg"
check 'folders above one that can not be made do not stay' test ! -e "$a/new"
mkdir "$a/there"
(cat "$a/no_backup.data"; echo "backup=$a/there/folder/$(word h 300)/x") >"$a/half.data"
expect_error ': can.t make the folder: File name too long' soon meta train "$a/half.data" "$a/toy.cfg"
check 'a folder that was there stays' test -d "$a/there" -a ! -e "$a/there/folder"

# Other verbs: refused before they read an image or a weight
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two" "$a/few.list" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/two"
(head -3 "$a/test.list"; tail -3 "$a/test.list") >"$a/few.list"
echo 'no image' >"$a/bad.pgm"
sed "s#$a/few.list#$a/bad.list#" "$a/few.data" >"$a/bad.data"
echo "$a/bad.pgm" >"$a/bad.list"
before_work() { expect_error "$1" soon meta "${@:2}"; }
before_work ': the name is too long for a file that is to be written' adapt "$a/bad.data" "$a/toy.cfg" "$a/w.weights" -out "$a/$(word o 240)"
before_work "$a/none/o.weights: can.t write there: No such file or directory" adapt "$a/bad.data" "$a/toy.cfg" "$a/w.weights" -out "$a/none/o"
sed "s#^test=.*#test=$a/bad.list#" "$a/toy.data" >"$a/bad_test.data"
before_work ': the name is too long for a file that is to be written' test "$a/bad_test.data" "$a/toy.cfg" "$a/w.weights" -out "$a/$(word o 240)"
before_work ': the name is too long for a file that is to be written' report "$a/no_such_table" -out "$a/$(word o 240)"
before_work "$a/none/o.html: can.t write there: No such file or directory" report "$a/no_such_table" -out "$a/none/o.html"
before_work ': the name is too long for a file that is to be written' grad "$a/bad.data" "$a/toy.cfg" "$a/w.weights" -episode "$a/bad.list" -out "$a/$(word o 240)"
before_work ': the name is too long for a file that is to be written' bench "$a/toy.cfg" -out "$a/$(word o 240)"
before_work ': the name is too long for a file that is to be written' doctor "$a/toy.data" "$a/toy.cfg" -merge "$a/$(word o 240)"
check 'meta adapt adapts' soon meta adapt "$a/few.data" "$a/toy.cfg" "$a/w.weights" -out "$a/ad" -threads 1
cp "$(head -1 "$a/few.list")" "$a/$(word i 245).pgm"
before_work ': the name is too long for a file that is to be written' predict "$a/ad.cfg" "$a/ad.weights" "$a/few.data" "$a/$(word i 245).pgm" -heat "$a/heat"
check 'pictures that can not be written leave no folder' test ! -e "$a/heat"
table() { printf '[table]\nname=T\ndata=%s\nruns=3\nfirst=2\n[row]\nlabel=%s\ncfg=%s\nshots=1\n' "$a/toy.data" "$1" "$2" >"$a/x.table"; }
table "$(word l 240)" "$a/toy.cfg"
before_work 'x.table:6: \[row\]: .*: the name is too long for a file that is to be written' table "$a/x.table" -out "$a/results"
table One "$a/$(word n 235).cfg"
before_work 'x.table:6: \[row\]: .*: is too long for the files of a training' table "$a/x.table" -out "$a/results"
check 'a table whose names are too long leaves no folder' test ! -e "$a/results"
