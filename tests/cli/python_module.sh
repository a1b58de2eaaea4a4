#!/bin/bash
# scripts/darknet_meta.py, the library in Python: the walk-through with the program's bits, arrays, errors, lifetimes and threads
. tests/lib.sh
. tests/toy.sh

if [ "$TEST_VARIANT" != release ]; then skip 'the Python module' "Debian's Python is not built with $TEST_VARIANT"; exit; fi
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then skip 'the Python module' 'there is no NumPy for /usr/bin/python3 (Debian: python3-numpy)'; exit; fi
a=$TMP_TEST/a
toy "$a"
sed -i 's/^channels=1/channels=3/' "$a/toy.cfg"
check 'a network of colour images trains' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -seed 3 -valid_every 0
cp "$a/backup/toy_final.weights" "$a/toy.weights"

# Ten images of 16x20 in two classes
LC_ALL=C awk -v to="$a" 'BEGIN {
    srand(3)
    for (c = 6; c < 8; c++)
        for (k = 0; k < 5; k++) {
            file = to "/i" c "_" k ".ppm"
            printf "P6 16 20 255\n" > file
            for (i = 0; i < 960; i++) printf "%c", int(1 + 250 * rand() * (i % 3 == c - 6 ? .5 : 1)) > file
            close(file)
        } }'
source=$PWD
cd "$a" || exit 1
printf 'i6_\ni7_\n' >few.labels
printf '%s\n' i[67]_[012].ppm >few.list
printf '%s\n' i[67]_[34].ppm >asked.list
printf 'classes=2\nlabels=few.labels\ntrain=few.list\n' >few.data
check 'meta adapt adapts to six of its images' "$DARKNET_BIN" meta adapt few.data toy.cfg toy.weights -out few
check 'meta predict predicts the others' sh -c "'$DARKNET_BIN' meta predict few.cfg few.weights few.data asked.list -csv -log_odds >predicted.csv"
{ echo image,class; printf '%s,i6_\n' i6_[34].ppm; printf '%s,i7_\n' i7_[34].ppm; } >asked.csv
printf 'i6_\ni7_\n' >few.names
check 'meta evaluate says how good the answers to the others are' "$DARKNET_BIN" meta evaluate few.cfg few.weights asked.csv -names few.names -json evaluated.json
check 'meta features writes the features of the others' "$DARKNET_BIN" meta features toy.cfg toy.weights asked.list -out features.npy
version=$(awk '/define DARKNET_META_VERSION_(MAJOR|MINOR) / { printf "%s%s", n++ ? "." : "", $3 }' "$source/src/adaptation/darknet_meta.h")
DARKNET_META_LIBRARY=$DARKNET_DIR/libdarknet-meta.so PYTHONPATH=$source/scripts PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$source/tests/python_module.py" "$a" "$version" >said 2>&1
echo $? >status
while IFS= read -r case; do test_passed "${case#ok - }"; done < <(grep '^ok - ' said)
check 'the Python program exits with 0, and says nothing else' test "$(cat status)" -eq 0 -a -z "$(grep -v '^ok - ' said)" || cat said
check 'every case of the Python program runs' test "$(grep -c '^ok - ' said)" -ge 73 || cat said
expect_error "none\.so: can't be used: .*: DARKNET_META_LIBRARY may name another" \
    sh -c "DARKNET_META_LIBRARY=none.so PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='$source/scripts' /usr/bin/python3 -c '
import darknet_meta, sys
try: darknet_meta.load(\"toy.cfg\", \"toy.weights\")
except darknet_meta.Error as error: sys.exit(str(error))'"
