#!/bin/bash
# meta lists: Darknet's files of a folder of classes and of a CSV, that the program and its training read.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
lists() { "$DARKNET_BIN" meta lists "$@"; }
quiet() { "$@" >out 2>err; }
for c in 0 1 2 3; do
    mkdir -p "f/kind $c"
    for k in {0..15}; do
        mkdir -p "f/kind $c/p$((c / 2))$((k / 4))"
        cp images/c${c}_$k.pgm "f/kind $c/p$((c / 2))$((k / 4))/$k.pgm"      # a patient is in two classes
    done
done
check 'meta lists writes the files of a folder' quiet lists f of -groups folders -valid 0.25 -test 0.25 -seed 2 || cat err
check 'meta lists says how many images each list has' grep -qE '^ +32 +16 +16  \(all\)$' out
check 'the labels are folders' test "$(head -n 1 of/of.labels)" = '/kind 0/'
check 'all images are in one list each' cmp <(sort of/*.list) <(find f -name '*.pgm' | sort)
patients() { sed 's#.*/\(p[0-9]*\)/.*#\1#' "$1" | sort -u; }
check 'no patient is in two lists' test -z "$(for l in of/*.list; do patients $l; done | sort | uniq -d)"
check 'meta lists writes the files of a folder without groups' quiet lists f alone -valid 0.4 -test 0
check 'files without groups name no groups' test ! -e alone/groups.csv -a ! -e alone/test.list -a -z "$(grep -E 'groups|test' alone/alone.data)"
check 'training takes the files' quiet "$DARKNET_BIN" meta train alone/alone.data toy.cfg -max_batches 2 -seed 1
check 'training watches the valid list' grep -q 'AUC' out
check 'another call with the same seed writes the same lists' quiet lists ./f/ again -groups folders -valid 0.25 -test 0.25 -seed 2
check 'the lists of the same seed are the same images' cmp <(sed 's#^\./##' again/test.list) of/test.list
check 'another seed gives other lists' bash -c '"$1" meta lists f other -groups folders -valid 0.25 -test 0.25 -seed 3 >/dev/null && ! cmp -s of/test.list other/test.list' - "$DARKNET_BIN"
expect_error '^darknet: of/of.names: is there already: choose another folder, or -replace$' lists f of
cp of/of.data before.data
expect_error 'is there already' lists f of -valid 0
check 'refused lists leave the old ones' cmp before.data of/of.data
check 'meta lists -replace writes them anew' quiet lists f of -replace -valid 0 -test 0.5 -groups folders
check 'a list that is not written again is removed' test ! -e of/valid.list -a -z "$(grep valid of/of.data)"
check 'meta lists -rare makes a test of rare classes' quiet lists f rare -rare 'kind 3,kind 0' -groups folders -valid 0
check 'the test list has the rare classes alone' test "$(grep -c 'kind [03]' rare/test.list)" -eq 32 -a "$(wc -l <rare/test.list)" -eq 32
check 'images whose patient has a rare class are in no list, and counted' grep -q '^32 images of other classes are in a group with a rare one, and in no list$' out

# A CSV whose paths do not tell the classes, and whose images have names in common
mkdir -p flat/one flat/two
for k in {0..5}; do cp images/c0_$k.pgm flat/one/$k.pgm; cp images/c1_$k.pgm flat/two/$k.pgm; done
{ echo image,class,group; for k in {0..5}; do echo "one/$k.pgm,nevus / mole,g$((k / 2))"; echo "two/$k.pgm,$([ $k -lt 3 ] && echo melanoma || echo nevus / mole),h$k"; done; } >flat/truth.csv
sed '1!s/,[^,]*$/,all/' flat/truth.csv >flat/lone.csv
check 'meta lists writes the files of a CSV' quiet lists flat/truth.csv csv -valid 0 -test 0.34
check 'meta lists says that it has made links' grep -q '^csv/images has links to the images' out
check 'the classes keep their names' cmp <(printf 'melanoma\nnevus / mole\n') csv/csv.names
check 'each image of the CSV is listed by a link to it' test "$(cat csv/train.list csv/test.list | xargs -d '\n' realpath | sort -u | wc -l)" -eq 12
check 'the doctor reads what was written' bash -c '"$1" meta doctor csv/csv.data toy.cfg -seconds 0.01 | grep -q "^ok  *groups  *train: .* groups"' - "$DARKNET_BIN"
check 'links are made anew with -replace' quiet lists flat/truth.csv csv -replace
# The images may be links, and lie where links would be made
mkdir -p held/images/melanoma
for k in 0 1 2 3; do ln -s "$PWD/images/c0_$k.pgm" "held/images/melanoma/$k.pgm"; done
{ echo image,class; for k in 0 1 2 3; do echo "images/melanoma/$k.pgm,$([ $k -lt 2 ] && echo melanoma || echo nevus)"; done; } >held/truth.csv
expect_error 'held/images/melanoma/0.pgm: lies in held/images/melanoma, where the links of an earlier call are replaced: choose another folder' lists held/truth.csv held -replace -valid 0 -test 0
check 'the links that are images stay' test "$(ls held/images/melanoma | wc -l)" -eq 4
# Patients so large that no list but one has any
check 'meta lists writes files of one group' quiet lists flat/lone.csv lone -valid 0.2 -test 0
check 'a list that was asked for and is empty is told' grep -qx "darknet: warning: valid has no image: there are too few groups" err
# As of patients' folders whose images all have one name; one has the name of a link
/usr/bin/python3 - <<'END'
import os
with open('same.csv', 'w') as f:
    for i in range(3000):
        os.makedirs('same/p%d' % i)
        name = 'same/p%d/%s.pgm' % (i, 'scan-7' if i == 2 else 'scan')
        open(name, 'wb').write(b'P5 1 2 255\n' + bytes([i % 256, i // 256]))
        f.write('%s,%s\n' % (name, 'ab'[i % 2]))
END
check 'thousands of images of one name are linked in little time' bash -c 'ulimit -t 4; exec "$1" meta lists same.csv linked -valid 0 -test 0' - "$DARKNET_BIN"
check 'each of them by a link of its own' test "$(xargs -d '\n' realpath <linked/train.list | sort -u | wc -l)" -eq 3000
# A groups.csv that no call has written, or that has more than a call writes, stays
groups_stay() { check "$1" cmp "$2/groups.csv" kept.csv; }
mkdir -p own
{ echo file,patient,centre; for k in {0..5}; do echo "$k.pgm,$k,x"; done; } >kept.csv
cp kept.csv own/groups.csv
own='own/groups.csv: was not written by an earlier call, and -replace would write over it or remove it: move it away, or choose another folder$'
expect_error "^darknet: $own" lists f own -replace -valid 0.25 -test 0
groups_stay 'a groups.csv that is not ours stays' own
check 'nothing is written where groups.csv is not ours' test "$(ls own)" = groups.csv
check 'meta lists writes a groups.csv' quiet lists flat/truth.csv mine -valid 0 -test 0.34
mv mine/groups.csv mine/away.csv
check 'without the groups.csv -replace writes one' quiet lists flat/truth.csv mine -replace -valid 0 -test 0.34
check 'it is the same' cmp mine/groups.csv mine/away.csv
{ echo image,class,group; for k in {0..5}; do echo "one/$k.pgm,a,g$k"; done; } >kept.csv
cp kept.csv mine/groups.csv
expect_error "^darknet: ${own//own/mine}" lists flat/truth.csv mine -replace -valid 0 -test 0.34
groups_stay 'a groups.csv of three columns stays, too' mine
rm -r f/'kind 3'
expect_error "^darknet: ${own//own/mine}" lists f mine -replace -valid 0.25 -test 0
cp mine/away.csv mine/groups.csv
check 'a groups.csv of an earlier call is removed by one without groups' bash -c '"$1" meta lists f mine -replace -valid 0.25 -test 0 >out && ! test -e mine/groups.csv' - "$DARKNET_BIN"
mkdir beside && { echo image,group; for k in {0..5}; do echo "one/$k.pgm,g$k"; done; } >beside/groups.csv
expect_error '^darknet: beside/groups.csv: was not written by an earlier call' lists f beside -replace -valid 0.25 -test 0
check 'groups.csv of a call that was ended before its .data file' quiet lists flat/truth.csv ended -valid 0 -test 0.34
rm ended/ended.data
check 'is written over by -replace' quiet lists flat/truth.csv ended -replace -valid 0 -test 0.34
touch ended/train.list.tmp.99999.1 ended/ended.data.tmp.99999.3
exec 9>ended/ended.lock
flock -n 9
expect_error '^darknet: ended/ended.lock: another run of meta lists writes there' lists flat/truth.csv ended -replace -valid 0 -test 0.34
check 'a refused call changes nothing' test -e ended/ended.data -a -e ended/train.list.tmp.99999.1
exec 9>&-
check 'meta lists runs when the other is gone' quiet lists flat/truth.csv ended -replace -valid 0 -test 0.34
check 'what killed calls left is removed, the lock too' test "$(find ended -maxdepth 1 -name '*.tmp.*' -o -maxdepth 1 -name '*.lock' | wc -l)" -eq 0
expect_error 'f/new: lies in f, where each folder is a class' lists f f/new
expect_error 'rare none: is no class of f, such as kind 0' lists f x -rare none
beside_root() (cd f && "$DARKNET_BIN" meta lists . /darknet-meta-none/x -rare none)
expect_error 'rare none: is no class of ., such as kind 0' beside_root
expect_error "can.t make the folder" lists f ""
expect_error 'rare and -test: must be one of them' lists f x -rare 'kind 0' -test 0.1
expect_error 'toy.data: must be a folder with a folder a class, or a .csv' lists toy.data x
expect_error 'valid 0.9 and -test 0.9: must leave' lists f x -valid 0.9 -test 0.9
cp images/c0_0.pgm 'f/kind 1/copy.pgm'
expect_error '^darknet: f/kind 1/copy.pgm: is the same image as f/kind 0/p00/0.pgm, which is of class kind 0, not kind 1' lists f x
check 'nothing is written where an image is in two classes' test ! -e x/x.data
