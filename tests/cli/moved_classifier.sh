#!/bin/bash
# Classifiers of meta adapt FOLDER that are used from another folder, moved or called otherwise answer with their own names; other names
# are told.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 60 -valid_every 0 || test_failed 'meta train makes the network to adapt' err
meta() { "$DARKNET_BIN" meta "$@"; }
predicted() { meta predict "$@" >out 2>err; }
named() { grep -q "%: $1\$" out && grep -q "%: $2\$" out; }
image=$a/images/c6_9.pgm
for f in A:MEL:NV B:AKIEC:VASC; do
    IFS=: read -r folder one two <<<"$f"
    mkdir -p "$folder/images/$one" "$folder/images/$two"
    cp images/c6_[0-4].pgm "$folder/images/$one"; cp images/c7_[0-4].pgm "$folder/images/$two"
    (cd "$folder" && meta adapt images ../toy.cfg ../backup/toy_final.weights -out lesions >out 2>err) || test_failed "meta adapt makes the classifier $folder" "$folder/err"
done

check 'a classifier is asked from a folder with another of its name' bash -c "cd A && '$DARKNET_BIN' meta predict ../B/lesions.cfg ../B/lesions.weights ../B/lesions.data $image >../out 2>../err"
check 'and answers with its own names' named AKIEC VASC
check 'without a warning' test ! -s err
check 'a classifier is asked from the folder above' predicted B/lesions.cfg B/lesions.weights B/lesions.data "$image"
check 'and answers with its names' named AKIEC VASC
(cd A && meta evaluate ../B/lesions.cfg ../B/lesions.weights ../B/images -json ../b.json >../out 2>../err)
check 'meta evaluate there has its names, too' python3 -c 'import json; assert [c["class"] for c in json.load(open("b.json"))["classes"]] == ["AKIEC", "VASC"]'
mkdir C; for end in cfg weights data names; do cp B/lesions.$end C/moles.$end; done
check 'one whose files have another name is asked' predicted C/moles.cfg C/moles.weights C/moles.data "$image"
check 'and has the names beside it' named AKIEC VASC
rm C/moles.names
expect_error "^darknet: C/moles.data:3: names: lesions.names: No such file" meta predict C/moles.cfg C/moles.weights C/moles.data "$image"
cp -r B D; rm D/lesions.names; cp A/lesions.names .
expect_error "^darknet: D/lesions.data:3: names: D/lesions.names: No such file" meta predict D/lesions.cfg D/lesions.weights D/lesions.data "$image"
cp B/lesions.names D; printf 'actinic\nvascular\n' >other.names
sed -i 's/^names = .*/names = other.names/' D/lesions.data
expect_error "^darknet: D/lesions.data:3: names=other.names: must be D/lesions.names, which is there, too, in a file that meta adapt wrote; without its first line it may be another\$" \
    meta predict D/lesions.cfg D/lesions.weights D/lesions.data "$image"

# Other names than those of the .cfg are told
sed -i 1d D/lesions.data
warning='darknet: warning: D/lesions.data: calls class 0 of D/lesions.cfg, AKIEC, actinic: answers have the names of D/lesions.data'
check 'a .data file of other names is taken' predicted D/lesions.cfg D/lesions.weights D/lesions.data "$image"
check 'whose names are answered' named actinic vascular
check 'which is told in one line' test "$(cat err)" = "$warning"
mkdir few; cp -r B/images/AKIEC few/actinic; cp -r B/images/VASC few/vascular
meta evaluate D/lesions.cfg D/lesions.weights few >out 2>err
check 'by meta evaluate of a folder, too' grep -qxF "$warning" err
meta evaluate C/moles.cfg C/moles.weights few -names other.names >out 2>err
check 'and of -names' grep -qxF 'darknet: warning: other.names: calls class 0 of C/moles.cfg, AKIEC, actinic: answers have the names of other.names' err
printf 'AKIEC\nnaevus\n' >some.names
sed 's/other.names/some.names/' D/lesions.data >some.data
predicted D/lesions.cfg D/lesions.weights some.data "$image"
check 'the first class that is called otherwise is told' grep -qxF 'darknet: warning: some.data: calls class 1 of D/lesions.cfg, VASC, naevus: answers have the names of some.data' err
predicted C/moles.cfg B/lesions.data "$image" -weights C/moles.weights,A/lesions.weights
check 'as is a member of an ensemble that has other classes' grep -qxF 'darknet: warning: B/lesions.data: calls class 0 of A/lesions.cfg, MEL, AKIEC: answers have the names of B/lesions.data' err
meta doctor predict D/lesions.cfg D/lesions.weights D/lesions.data "$image" >out 2>&1
check 'and by the doctor' grep -Eq '^warning +classes +D/lesions.data: calls class 0 of D/lesions.cfg, AKIEC, actinic: answers have the names of D/lesions.data$' out
if [ -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ]; then
    meta export D/lesions.cfg D/lesions.weights D/lesions.data -onnx d.onnx >out 2>err
    check 'and by meta export' test "$(cat err)" = "$warning"
fi
