#!/bin/bash
# The order of a classifier's classes: NAME.cfg has it, and meta predict, evaluate, export and doctor hold it against what they are given.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 60 -valid_every 0 || test_failed 'meta train makes the network to adapt' err
meta() { "$DARKNET_BIN" meta "$@"; }
quiet() { "$@" >out 2>err; }
# data FILE NAME NAME: of c6_ and c7_, or as LABELS says
data() { printf '%s\n' ${LABELS:-c6_ c7_} >"$1.labels"; printf '%s\n' "$2" "$3" >"$1.names"; printf 'classes=2\nlabels=%s.labels\nnames=%s.names\ntrain=few.list\ntest=test.list\nvalid=valid2.list\n' "$1" "$1" >"$1"; }
turned() { LABELS='c7_ c6_' data "$@"; }
grep -E '_[0-4]\.pgm' test.list >few.list
grep -E '_(5|6|7|8|9)\.pgm' test.list >all.list
grep -E '_1.\.pgm' test.list >valid2.list
mv all.list test.list
data x.data AKIEC VASC
turned y.data VASC AKIEC
check 'meta adapt takes a .data file' quiet meta adapt x.data toy.cfg backup/toy_final.weights -out k
check 'NAME.cfg has a comment for each class' bash -c 'grep -qx "# class 0 AKIEC" k.cfg && grep -qx "# class 1 VASC" k.cfg'
check 'there is no NAME.data' test ! -e k.data
image=images/c6_9.pgm

wrong='y.data: class 0 is VASC, but in k.cfg it is class 1: must be in one order$'
expect_error "$wrong" meta predict k.cfg k.weights y.data $image
expect_error "$wrong" meta evaluate k.cfg k.weights y.data
expect_error "$wrong" meta evaluate k.cfg k.weights x.data -sensitivity 0.8 -chosen_on y.data
[ ! -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ] || expect_error "$wrong" meta export k.cfg k.weights y.data -onnx k.onnx
meta doctor predict k.cfg k.weights y.data $image >out 2>&1
check 'the doctor says so, too' grep -q 'y.data: class 0 is VASC, but in k.cfg it is class 1: must be in one order' out
sed 's/^names=.*/names=other.names/' x.data >other.data; sed 's/^names=.*/names=other-turned.names/' x.data >other-turned.data
printf 'actinic\nvascular\n' >other.names; printf 'vascular\nactinic\n' >other-turned.names
check 'a .data file may call the classes otherwise' quiet meta predict k.cfg k.weights other.data $image
check 'for evaluate, too' quiet meta evaluate k.cfg k.weights other.data -sensitivity 0.8 -chosen_on x.data
expect_error 'other-turned.data: class 0 is vascular, but in other.data it is class 1: must be in one order$' \
    meta evaluate k.cfg k.weights other.data -sensitivity 0.8 -chosen_on other-turned.data
check 'the classes in their order are predicted' quiet meta predict k.cfg k.weights x.data $image
check 'and evaluated' quiet meta evaluate k.cfg k.weights x.data -sensitivity 0.8 -chosen_on x.data -json x.json

# A folder needs no NAME.data
mkdir -p f/AKIEC f/VASC && cp images/c6_[5-9].pgm f/AKIEC && cp images/c7_[5-9].pgm f/VASC
check 'a folder is evaluated by the names of NAME.cfg' quiet meta evaluate k.cfg k.weights f -json f.json
check 'with the figures of the .data file' python3 -c 'import json; assert json.load(open("x.json"))["auc"] == json.load(open("f.json"))["auc"]'
printf 'VASC\nAKIEC\n' >turned.names; printf 'actinic\nvascular\n' >other.names
expect_error 'turned.names: class 0 is VASC, but in k.cfg it is class 1: must be in one order$' meta evaluate k.cfg k.weights f -names turned.names
cp -r f g; mv g/AKIEC g/actinic; mv g/VASC g/vascular
check '-names may call the classes otherwise' quiet meta evaluate k.cfg k.weights g -names other.names

# The .cfg of another member of an ensemble
check 'meta adapt makes a classifier of the classes turned' quiet meta adapt y.data toy.cfg backup/toy_final.weights -out j
expect_error 'x.data: class 0 is AKIEC, but in j.cfg it is class 1: must be in one order$' meta evaluate k.cfg x.data -weights k.weights,j.weights
expect_error 'x.data: class 0 is AKIEC, but in j.cfg it is class 1: must be in one order$' meta predict k.cfg x.data $image -weights k.weights,j.weights

# Files from before
sed -i '/^# class /d' k.cfg
check 'a .cfg without such comments is predicted by as before' quiet meta predict k.cfg k.weights y.data $image
check 'and evaluated' quiet meta evaluate k.cfg k.weights y.data
expect_error 'y.data: class 0 is VASC, but in x.data it is AKIEC: must be in one order$' meta evaluate k.cfg k.weights x.data -sensitivity 0.8 -chosen_on y.data
cp x.data k.data
expect_error 'y.data: class 0 is VASC, but in k.data it is class 1: must be in one order$' meta predict k.cfg k.weights y.data $image
expect_error 'y.data: class 0 is VASC, but in k.data it is AKIEC: must be in one order$' meta evaluate k.cfg k.weights y.data
[ ! -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ] || expect_error 'y.data: class 0 is VASC, but in k.data it is class 1: must be in one order$' meta export k.cfg k.weights y.data -onnx k.onnx
rm k.data

# Names with odd characters, and lines that were changed
data odd.data '  # naïve; "a", b=1 [x]	' 'class 0 %s'
check 'odd names are written' quiet meta adapt odd.data toy.cfg backup/toy_final.weights -out odd
check 'and known again' quiet meta predict odd.cfg odd.weights odd.data $image
data odd2.data 'class 0 %s' '  # naïve; "a", b=1 [x]	'
expect_error 'odd2.data: class 0 is class 0 %s, but in odd.cfg it is class 1: must' meta predict odd.cfg odd.weights odd2.data $image
sed '/^# class 0/d' j.cfg >less.cfg
expect_error '^darknet: less.cfg:[0-9]+: class 1: must be class 0, as each class has a line$' meta predict less.cfg j.weights y.data $image
sed '/^# class 1/d' j.cfg >less.cfg
expect_error '^darknet: less.cfg: names 1 class: must be 2, the probabilities that it gives$' meta predict less.cfg j.weights y.data $image

# The .cfg has the digest of its .weights, so that those of another classifier are told
meta adapt x.data toy.cfg backup/toy_final.weights -out k >out 2>err
other='darknet: warning: k.weights: is not the file that k.cfg was written with: the classes named there may be another network'"'"'s$'
digest() { # FILE: its XXH3-128, as xxh128sum prints it
    python3 - "$1" <<'END'
import ctypes, sys
class Sum(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]
of = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
of.restype, of.argtypes = Sum, [ctypes.c_char_p, ctypes.c_size_t]
data = open(sys.argv[1], "rb").read()
print("%016x%016x" % ((lambda s: (s.high, s.low))(of(data, len(data)))))
END
}
check 'the .cfg has the digest of the .weights' grep -qx "# weights $(digest k.weights)" k.cfg
meta predict k.cfg k.weights x.data $image >out 2>err
check 'its own weights: no warning' test ! -s err
cp k.weights kept; cp j.weights k.weights
meta predict k.cfg k.weights x.data $image >out 2>err; status=$?
check 'those of another: a warning of predict' grep -Eq "^$other" err
check 'which answers' test $status = 0
meta evaluate k.cfg k.weights x.data >out 2>err
check 'and of evaluate' grep -Eq "^$other" err
meta evaluate k.cfg x.data -weights k.weights,kept >out 2>err
check 'and of a member of an ensemble' grep -Eq "^$other" err
check 'whose member without a .cfg beside it is of nobody' test "$(grep -c 'is not the file' err)" = 1
if [ -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ]; then
    meta export k.cfg k.weights -onnx k.onnx >out 2>err
    check 'and of export' grep -Eq "^$other" err
fi
meta doctor predict k.cfg k.weights x.data $image >out 2>&1
check 'and of the doctor' grep -Eq '^warning +weights +k.weights: is not the file that k.cfg was written with' out
cp kept moved.weights
meta predict k.cfg moved.weights x.data $image >out 2>err
check 'weights that were moved are known' test ! -s err
cp j.weights moved.weights
meta predict k.cfg moved.weights x.data $image >out 2>err
check 'or told' grep -q 'warning: moved.weights: is not the file that k.cfg was written with' err
sed 1d k.cfg >people.cfg
meta predict people.cfg moved.weights x.data $image >out 2>err
check "another .cfg's comments are people's" test ! -s err
