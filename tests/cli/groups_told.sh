#!/bin/bash
# What is said of groups: a CSV that can't be read, or whose columns are others, images without a group, and columns that are not read.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 20 -valid_every 0 || test_failed 'meta train makes the network to adapt' err
meta() { "$DARKNET_BIN" meta "$@"; }
quiet() { "$@" >out 2>err; }
mkdir -p few/six few/seven new/six new/seven
cp images/c6_[0-2].pgm few/six; cp images/c7_[0-2].pgm few/seven; cp images/c6_[3-9].pgm new/six; cp images/c7_[3-9].pgm new/seven
adapt() { meta adapt few toy.cfg backup/toy_final.weights -out k "$@"; }
check 'meta adapt makes a classifier' quiet adapt
evaluate() { meta evaluate k.cfg k.weights new "$@"; }

# A CSV that can't be read
for verb in evaluate adapt 'meta lists few lists'; do
    expect_error '^darknet: -groups nosuch.csv: No such file or directory$' $verb -groups nosuch.csv
    expect_error '^darknet: -groups few: is not a regular file$' $verb -groups few
    expect_error '^darknet: -groups /dev/null: is not a regular file$' $verb -groups /dev/null
    expect_error "^darknet: -groups '': is no file: must be a CSV, or folders\$" $verb -groups ''
done
meta doctor adapt few toy.cfg backup/toy_final.weights -groups nosuch.csv >out 2>&1
check 'the doctor names the flag, too' grep -Eq '^wrong +data +-groups nosuch.csv: No such file or directory$' out

# The column of the groups
rows() { for f in new/*/*.pgm; do n=${f##*_}; echo "$f,$1,${n%.pgm}"; done; }
{ echo image,age,patient; rows 50; } >age.csv
columns='age.csv:1: has columns image, age, patient: must have one called group, or, behind image, lesion_id, lesion, patient or patient_id$'
for verb in evaluate 'meta lists new lists'; do expect_error "$columns" $verb -groups age.csv; done
sed -i 1s/age,patient/age,group/ age.csv
check 'a column called group is read' quiet evaluate -groups age.csv
check 'it gives as many groups' grep -q '14 images in 7 groups' out
for name in patient patient_id lesion Lesion_ID; do
    rows x | awk -F, -v n=$name 'NR == 1 { print "image," n ",age" } { print $1 "," $3 ",50" }' >second.csv
    quiet evaluate -groups second.csv
    check "the second of three columns may be called $name" grep -q '14 images in 7 groups' out
done

# Names of classes that differ in capitals alone
{ echo image,class; for f in few/*/*.pgm; do c=${f#few/}; echo "$f,${c%/*}"; done; } | sed 's/0\.pgm,six$/0.pgm,Six/' >capitals.csv
alike='capitals.csv: classes Six and six differ in capitals alone: they are taken for two'
expect_error '^darknet: capitals.csv: has 3 classes, of which Six and six differ in capitals alone: must be 2, which toy.cfg tells apart$' meta adapt capitals.csv toy.cfg backup/toy_final.weights -out c
grep -v seven capitals.csv >two.csv
quiet meta adapt two.csv toy.cfg backup/toy_final.weights -out c
check 'meta adapt tells names of classes that differ in capitals alone' grep -qxF "darknet: warning: ${alike/capitals/two}" err
quiet meta lists capitals.csv capitals
check 'meta lists tells them' grep -qxF "darknet: warning: $alike" err
meta doctor adapt capitals.csv toy.cfg backup/toy_final.weights >out 2>&1
check 'the doctor tells them, too' grep -Eq '^warning +classes +capitals.csv: Six and six differ in capitals alone: they are taken for two classes$' out

# Columns of a CSV of images that are not read
listed() { for f in new/*/*.pgm; do n=${f##*_}; c=${f#new/}; echo "$f,${c%/*},40,${n%.pgm}"; done; }
{ echo image,class,age,patient; listed; } >patients.csv
said='darknet: warning: patients.csv: no column group: each image is taken for unlike any other; columns not read: age, patient'
quiet meta lists patients.csv lists
check 'meta lists tells columns that it does not read' grep -qxF "$said" err
quiet meta adapt patients.csv toy.cfg backup/toy_final.weights -out p
check 'meta adapt tells them' grep -qxF "$said" err
quiet meta evaluate k.cfg k.weights patients.csv
check 'meta evaluate tells them' grep -qxF "$said" err
meta doctor adapt patients.csv toy.cfg backup/toy_final.weights >out 2>&1
check 'the doctor tells them' grep -Eq '^warning +groups +patients.csv: no column group: .*; columns not read: age, patient$' out
sed -i 1s/patient/group/ patients.csv
quiet meta lists patients.csv grouped
check 'nothing is told where there is a column group' bash -c '! grep "not read" err'
cut -d, -f1,2 patients.csv >two.csv
quiet meta lists two.csv two
check 'nor where there are no other columns' bash -c '! grep "not read" err'
sed -i 1s/group/patient/ patients.csv
{ echo image,group; rows x | cut -d, -f1,3; } >g.csv
quiet meta lists patients.csv others -groups g.csv
check 'nor with -groups' bash -c '! grep "not read" err'

# Images without a group, in words and in files
half() { rows x | cut -d, -f1,3 | head -n 5; }
{ echo image,group; half; } >half.csv
quiet evaluate -groups half.csv -json half.json -html half.html
none='new: 9 of the 14 images are in no group of half.csv: each counts as unlike any other'
check 'meta evaluate tells images without a group' grep -qxF "darknet: warning: $none" err
check 'the page has their number' grep -qF 'in 14 groups; 9 of the images are in no group, and each counts as one.' half.html
of() { python3 -c 'import json, sys; print(*(json.load(open(sys.argv[1])).get(k) for k in sys.argv[2:]))' "$@"; }
check 'and JSON' test "$(of half.json grouped images groups images_without_group)" = 'True 14 14 9'
mkdir nested; cp -r new/* nested; mkdir nested/six/p; mv nested/six/c6_[34]* nested/six/p
quiet meta evaluate k.cfg k.weights nested -groups folders
told='darknet: warning: nested: 12 of the 14 images are in no group of -groups folders: each counts as unlike any other'
check 'those beside the folders of groups are told' grep -qxF "$told" err
quiet meta adapt nested toy.cfg backup/toy_final.weights -out n -groups folders
check 'meta adapt tells them, too' grep -qxF "$told" err
ls new/*/* >new.list; ls images/c[67]_1[0-2].pgm >other.list
printf '%s\n' $(sed 's/six/c6_/; s/seven/c7_/' k.names) >labels2
printf 'classes=2\nlabels=labels2\nnames=k.names\ntest=new.list\nvalid=other.list\ngroups=all.csv\n' >d.data
{ cat half.csv; echo images/c6_10.pgm,a; } >all.csv
quiet meta evaluate k.cfg k.weights d.data -sensitivity 0.8
check 'those of a list, too' grep -qxF 'darknet: warning: new.list: 9 of the 14 images are in no group of all.csv: each counts as unlike any other' err
check 'and those that thresholds are chosen on' grep -qxF 'darknet: warning: other.list: 5 of the 6 images are in no group of all.csv: each counts as unlike any other' err
quiet evaluate -json plain.json -html plain.html
check 'nothing is told without groups' test ! -s err
check 'JSON says that there are none' test "$(of plain.json grouped images groups images_without_group copies)" = 'False 14 14 14 None'
quiet evaluate -augment 4 -json copies.json -html copies.html
check 'JSON has the number of copies' test "$(of copies.json copies)" = 4
check 'and the page' grep -qF 'Each answer is the mean of 4 copies of the image: flips and quarter turns.' copies.html

# Columns that are too many to be looked through
{ echo "image,class$(printf ',c%d' {3..64}),group"; for f in few/*/*.pgm; do c=${f#few/}; echo "$f,${c%/*}$(printf ',%.0s' {3..64}),g"; done; } >many.csv
expect_error '^darknet: many.csv:1: names 65 columns: image, class and group must be among the first 64$' meta adapt many.csv toy.cfg backup/toy_final.weights -out m
{ echo "image,class,group$(printf ',c%d' {4..70})"; for f in few/*/*.pgm; do c=${f#few/}; echo "$f,${c%/*},$f$(printf ',%.0s' {4..70})"; done; } >many.csv
check 'more columns behind these are no matter' quiet meta adapt many.csv toy.cfg backup/toy_final.weights -out m
