#!/bin/bash
# meta adapt FOLDER and CSV: the same classifier as by a .data file, its NAME.data for meta predict, and what is refused.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cfg=$a/toy.cfg weights=$a/backup/toy_final.weights
train "$a" -max_batches 20 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to adapt' "$a/err"
adapt() { "$DARKNET_BIN" meta adapt "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }

# A folder whose names and classes have blanks, other alphabets and each other in them
f="$a/my lesions"
mkdir -p "$f/naïve c7_" "$f/c7_ in c6_/patient 1"
for k in 0 1 2; do cp "$a/images/c6_$k.pgm" "$f/c7_ in c6_/patient 1/"; cp "$a/images/c7_$k.pgm" "$f/naïve c7_/"; done
printf 'c6_\nc7_\n' >"$a/few.labels"
printf 'c7_ in c6_\nnaïve c7_\n' >"$a/few.names"
ls "$a"/images/c[67]_[012].pgm >"$a/few.list"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/few.labels" "$a/few.names" "$a/few.list" >"$a/few.data"
check 'meta adapt takes a .data file' quiet adapt "$a/few.data" "$cfg" "$weights" -out "$a/by_data"
check 'meta adapt takes a folder of classes' quiet adapt "$f" "$cfg" "$weights" -out "$a/by_folder" || cat "$a/err"
check 'the classifier of a folder is that of a .data file of its images' same "$a/by_data.weights" "$a/by_folder.weights"
check 'meta adapt counts the images of a folder by class' grep -qx ".*my lesions: 6 images of 2 classes: c7_ in c6_ 3, naïve c7_ 3" "$a/out"
check 'meta adapt says that images lie in folders of a class' grep -q '3 of them lie in folders .*: -groups folders takes each' "$a/out"
check 'meta adapt names the files that it writes of a folder' grep -qx "written: .*by_folder.cfg, .*by_folder.weights, .*by_folder.names and .*by_folder.data" "$a/out"
check 'NAME.names has the classes of the folder' cmp "$a/few.names" "$a/by_folder.names"
check 'meta predict takes NAME.data' quiet "$DARKNET_BIN" meta predict "$a/by_folder.cfg" "$a/by_folder.weights" "$a/by_folder.data" "$a/images/c6_9.pgm" -csv
check 'meta predict names the classes of the folder' grep -qx 'image,class,c7_ in c6_,naïve c7_' "$a/out"
check 'the stock program takes NAME.data' bash -c 'cd "$1" && echo "$3" | "$2" classifier predict by_folder.data by_folder.cfg by_folder.weights 2>&1 | grep -q "%: na.*ve"' - "$a" "$DARKNET_BIN" "$a/images/c6_9.pgm"
check 'the .cfg names the images that it has learned' test "$(grep -c '^# support [0-9a-f]\{32\}$' "$a/by_folder.cfg")" -eq 6
check 'meta adapt writes its NAME.data again' quiet adapt "$f" "$cfg" "$weights" -out "$a/by_folder" -groups folders
check 'leave-one-out leaves a folder out as a group' grep -q 'c7_ in c6_: could not be asked about' "$a/out"

# decode=full of a .data file, which a folder can't say, stands in NAME.data. A JPEG of 32x32 is decoded at half its size, or in full
mkdir -p "$a/large/c7_ in c6_" "$a/large/naïve c7_"
base64 -d >"$a/large/c7_ in c6_/c6_99.jpg" <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAgACABAREA/8QA
FQABAQAAAAAAAAAAAAAAAAAABAX/xAAWEAADAAAAAAAAAAAAAAAAAAAAAgP/2gAIAQEAAD8AgTQVNBM0FTQkzQVNBM0FTQlTQTNBU0EzQlTQTNBU0EzQ/9k=
END
cp "$a/images/c7_9.pgm" "$a/large/naïve c7_"
ls "$a"/large/*/*.* >"$a/large.list"
printf '_99\nnaïve\n' >"$a/large.labels"
answers() { quiet "$DARKNET_BIN" meta evaluate "$a/by_folder.cfg" "$a/by_folder.weights" "$@" -csv "$a/answers.csv" && cut -d, -f5- "$a/answers.csv"; }
check 'NAME.data says nothing of decode where nothing else does' eval '! grep -q decode "$a/by_folder.data"'
answers "$a/large" >"$a/scaled.csv"
{ cat "$a/few.data"; echo decode=full; } >"$a/full.data"
check 'meta adapt takes a .data file of decode=full' quiet adapt "$a/full.data" "$cfg" "$weights" -out "$a/by_folder"
check 'its NAME.data has decode, too' grep -qx 'decode = full' "$a/by_folder.data"
answers "$a/large" >"$a/full.csv"
check 'meta evaluate takes it from there for a folder' differ "$a/full.csv" "$a/scaled.csv"
printf 'classes=2\nlabels=%s\nnames=%s\ntest=%s\ndecode=full\n' "$a/large.labels" "$a/few.names" "$a/large.list" >"$a/large.data"
answers "$a/large.data" >"$a/said.csv"
check 'the answers are those of a .data file that says it' eval 'test -s "$a/said.csv" && same "$a/full.csv" "$a/said.csv"'
predicted() { "$DARKNET_BIN" meta predict "$a/by_folder.cfg" "$a/by_folder.weights" "$1" "$a/large/c7_ in c6_/c6_99.jpg" -csv; }
predicted "$a/by_folder.data" >"$a/p.own"; predicted "$a/large.data" >"$a/p.said"
check 'meta predict takes it from there, too' eval 'test -s "$a/p.own" && same "$a/p.own" "$a/p.said"'
check 'meta adapt of the folder writes NAME.data without it' eval 'quiet adapt "$f" "$cfg" "$weights" -out "$a/by_folder" -groups folders && ! grep -q decode "$a/by_folder.data"'

# A CSV
{ printf '\xef\xbb\xbf"image";"class"\r\n'; for k in 0 1 2; do printf '"images/c6_%s.pgm";"c7_ in c6_"\r\nimages/c7_%s.pgm;naïve c7_\r\n' $k $k; done; } >"$a/few.csv"
check 'meta adapt takes a CSV with paths relative to it' quiet adapt "$a/few.csv" "$cfg" "$weights" -out "$a/by_csv"
check 'the classifier of a CSV has the names of one of a folder' cmp "$a/by_csv.names" "$a/by_folder.names"
echo 'images/c6_0.pgm;naïve c7_' >>"$a/few.csv"
expect_error 'few.csv:8: .*c6_0.pgm: is on line 2 already' adapt "$a/few.csv" "$cfg" "$weights" -out "$a/x"
printf 'image,class\nimages/c6_0.pgm,a\nimages/none.pgm,b\n' >"$a/lost.csv"
expect_error 'lost.csv:3: .*/images/none.pgm: No such file' adapt "$a/lost.csv" "$cfg" "$weights" -out "$a/x"

# What is refused, and what is left out
mine="$a/hand.data"
echo '# mine' >"$mine"
expect_error 'out .*/hand: would overwrite .*/hand.data, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/hand"
check 'a NAME.data of others stays as it is' test "$(cat "$mine")" = '# mine'
echo names >"$a/other.names"
expect_error 'out .*/other: would overwrite .*/other.names' adapt "$f" "$cfg" "$weights" -out "$a/other"
# What an earlier run left under the name is that of the new one, or told
tac "$a/few.labels" >"$a/turned.labels"; tac "$a/few.names" >"$a/turned.names"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/turned.labels" "$a/turned.names" "$a/few.list" >"$a/turned.data"
check 'meta adapt of a folder writes its names' quiet adapt "$f" "$cfg" "$weights" -out "$a/again"
echo old >"$a/again.onnx"
check 'meta adapt of a .data file takes the same name' quiet adapt "$a/turned.data" "$cfg" "$weights" -out "$a/again"
check 'the names beside the classifier are those of the .data file' cmp "$a/turned.names" "$a/again.names"
check 'meta adapt says so' grep -q '^written: .*again.cfg, .* and .*again.data$' "$a/out"
check 'an ONNX file of the earlier run is told' grep -qx "darknet: warning: .*again.onnx: is of another network than .*again.weights: -onnx writes it anew" "$a/err"
for end in cfg weights; do cp "$a/backup/toy_final.weights" "$a/lone-$end.$end"; done
expect_error 'out .*/lone-cfg: would overwrite .*/lone-cfg.cfg, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/lone-cfg"
expect_error 'out .*/lone-weights: would overwrite .*/lone-weights.weights, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/lone-weights"
cp "$cfg" "$a/lone-weights.cfg"
expect_error 'out .*/lone-weights: would overwrite .*/lone-weights.cfg, which is not of meta adapt' adapt "$a/few.data" "$cfg" "$weights" -out "$a/lone-weights"
expect_error 'out .*/images/: is a folder: must be the name of the files in it' adapt "$f" "$cfg" "$weights" -out "$a/images/"
for name in . .. "$a/.."; do expect_error "out $name: is a folder: must be the name of the files in it" adapt "$f" "$cfg" "$weights" -out "$name"; done
check 'meta adapt takes a name with a blank' quiet adapt "$f" "$cfg" "$weights" -out "$a/les ions"
check 'and says what stock Darknet makes of it' grep -qx "stock Darknet takes blanks out of the paths of .*les ions.data: it would not find its files" "$a/out"
check 'nothing of theirs has changed' same "$a/lone-weights.weights" "$weights"
# Pipes, which nobody writes into, are looked at and not waited for.
for end in cfg data lock; do
    rm -f "$a"/pipe.*
    mkfifo "$a/pipe.$end"
    [ $end != lock ] || cp "$weights" "$a/pipe.weights"
    if [ $end = lock ]; then end=weights; fi
    expect_error "out .*/pipe: would overwrite .*/pipe.$end, which is not of meta adapt" timeout 20 "$DARKNET_BIN" meta adapt "$f" "$cfg" "$weights" -out "$a/pipe"
done
# A .cfg of a person's own whose first line has our words by chance is not an adapted one's.
cp "$weights" "$a/own.weights"
for line in 'yolov3-tiny, adapted to our two scanners' 'tiny, adapted to 10 images of ours' 'tiny, adapted to ten images of ours: 3 steps at 1' \
    'tiny, adapted to images by libdarknet-meta and by hand' ', adapted to  images of : steps at'; do
    { echo "# $line"; cat "$cfg"; } >"$a/own.cfg"
    cp "$a/own.cfg" "$a/own.before"
    expect_error 'out .*/own: would overwrite .*/own.cfg, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/own"
    check "a .cfg that begins '$line' stays" same "$a/own.cfg" "$a/own.before"
done
check 'and the weights beside it' same "$a/own.weights" "$weights"
for line in 'a.cfg and b.weights, adapted to 10 images of few.list: 3 steps at 0.1, support statistics' \
    'x, adapted to y.cfg and b.weights, adapted to 1 images of a list: 0 steps at 1e-05, running statistics, temperature 2' \
    'x, adapted to y.cfg, adapted to images by libdarknet-meta'; do
    { echo "# $line"; cat "$cfg"; } >"$a/own.cfg"
    check "a .cfg that begins '$line' is an adapted one's" quiet adapt "$f" "$cfg" "$weights" -out "$a/own"
    rm -f "$a"/own.*
done
if [ -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ]; then
    echo mine >"$a/lone-onnx.onnx"
    expect_error 'out .*/lone-onnx: would overwrite .*/lone-onnx.onnx, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/lone-onnx" -onnx
fi
expect_error 'balance none: is of the loss of the steps, and none is taken' adapt "$f" "$cfg" "$weights" -out "$a/x" -balance none -steps 0
expect_error "range: is for a folder or a CSV: must be range= in .*few.data" adapt "$a/few.data" "$cfg" "$weights" -out "$a/x" -range 255
expect_error "groups: is for a folder or a CSV: must be groups= in .*few.data" adapt "$a/few.data" "$cfg" "$weights" -out "$a/x" -groups folders
cp -r "$f" "$a/more"
echo x >"$a/more/naïve c7_/readme.txt"
cp "$a/images/c5_0.pgm" "$a/more/"
check 'meta adapt leaves out what is of no class' quiet adapt "$a/more" "$cfg" "$weights" -out "$a/more1"
check 'meta adapt counts files that are no images, in one line' grep -qx "darknet: warning: .*/more: 1 file is no image by its name, such as .*readme.txt: not read" "$a/err"
check 'meta adapt counts images beside the classes, in one line' grep -qx "darknet: warning: .*/more: 1 image lies beside the folders of the classes, and is of none, such as .*c5_0.pgm: not read" "$a/err"
check 'meta adapt warns of nothing else' test "$(wc -l <"$a/err")" -eq 2
cp "$a/images/c6_0.pgm" "$a/more/naïve c7_/same.pgm"
expect_error '^darknet: [^:]*naïve c7_/same.pgm: is the same image as .*c6_0.pgm, which is of class c7_ in c6_, not naïve' adapt "$a/more" "$cfg" "$weights" -out "$a/x"
rm "$a/more/naïve c7_/same.pgm"
ln -s c7_0.pgm "$a/more/naïve c7_/link.pgm"
expect_error '^darknet: [^:]*link.pgm: is the file of .*c7_0.pgm by another name|c7_0.pgm: is the file of .*link.pgm by another name' adapt "$a/more" "$cfg" "$weights" -out "$a/x"
rm "$a/more/naïve c7_/link.pgm"
mkdir "$a/more/third"
expect_error 'more/third: has no image: each folder of .*more is a class' adapt "$a/more" "$cfg" "$weights" -out "$a/x"
cp "$a/images/c5_0.pgm" "$a/more/third/"
expect_error 'more: has 3 classes, such as c7_ in c6_: must be 2, which .*toy.cfg tells apart' adapt "$a/more" "$cfg" "$weights" -out "$a/x"
rm -r "$a/more/third" "$a/more/naïve c7_"
expect_error 'more: has 1 class, such as c7_ in c6_: must be 2' adapt "$a/more" "$cfg" "$weights" -out "$a/x"
check 'nothing is written of what is refused' test ! -e "$a/x.cfg" -a ! -e "$a/x.data"

# A mistyped flag leaves no lock, and a lock is no proof that the files are its own.
cp "$weights" "$a/theirs.weights"
"$DARKNET_BIN" meta adapt "$f" "$cfg" "$weights" -out "$a/typed" -steps many >"$a/out" 2>"$a/err"
check 'meta adapt with a mistyped -steps leaves nothing' bash -c "grep -q 'steps many' '$a/err' && ! ls '$a'/typed*"
"$DARKNET_BIN" meta adapt "$f" "$cfg" "$weights" -out "$a/typed" -augment no >"$a/out" 2>"$a/err"
check 'with a mistyped -augment, too' bash -c "grep -q 'augment no' '$a/err' && ! ls '$a'/typed*"
printf 'process 1\nbegun 1\nhost %s\nboot 0\n' "$(hostname)" >"$a/theirs.lock"
expect_error 'out .*/theirs: would overwrite .*/theirs.weights, which is not of meta adapt' adapt "$f" "$cfg" "$weights" -out "$a/theirs"
check 'weights beside a lock that a run left before it wrote are not written over' cmp "$weights" "$a/theirs.weights"
echo 'note is writing' >>"$a/theirs.lock"
check 'those of a run that was killed while it wrote are' quiet adapt "$f" "$cfg" "$weights" -out "$a/theirs"
check 'and no lock stays' test ! -e "$a/theirs.lock"

# A file that happens to have the name of the lock is not ours
echo keep >"$a/poetry.lock"
expect_error '^darknet: .*/poetry.lock: is there and is no lock of this program: must be moved away, or another name be given$' adapt "$f" "$cfg" "$weights" -out "$a/poetry"
check 'and stays as it is' test "$(cat "$a/poetry.lock")" = keep
