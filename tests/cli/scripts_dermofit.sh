#!/bin/bash
# scripts/dermofit.sh on a generated tree of the library's shape.
. tests/lib.sh
set -u
prepare=scripts/dermofit.sh
src="$TMP_TEST/the library" out="$TMP_TEST/the output"
[ "$TEST_VARIANT" = release ] || { skip "scripts/dermofit.sh" "runs nothing that was built"; exit; }

# A grey 16x16 PNG
png() { base64 -d <<<'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAADUlEQVR42mNgGAXIAAABEAABf80DtQAAAABJRU5ErkJggg=='; }
png >"$TMP_TEST/one.png"
# Ten classes, under codes, names or both, eight lesions each, a mask each; the second lesion of each has two images
folders=(AK "Basal Cell Carcinoma" ML "Seborrhoeic Keratosis (SK)" SCC iec "Pyogenic Granuloma" Haemangioma DF "Malignant Melanoma")
for folder in "${folders[@]}"; do
    for lesion in 1 2 3 4 5 6 7 8; do
        mkdir -p "$src/$folder/P$lesion"
        cp "$TMP_TEST/one.png" "$src/$folder/P$lesion/P${lesion}a.png"
        cp "$TMP_TEST/one.png" "$src/$folder/P$lesion/P${lesion}amask.png"
    done
    cp "$TMP_TEST/one.png" "$src/$folder/P2/P2b.PNG"
    touch "$src/$folder/P2/notes.txt"
done

check "dermofit.sh prepares a tree with blanks in its paths" $prepare "$src" "$out"
lines() { [ "$(wc -l <"$out/$1")" -eq "$2" ]; }
check "common.list holds seven classes" lines common.list 63
check "rare.list holds three classes" lines rare.list 27
check "rare.list holds squamous cell carcinoma, haemangioma, pyogenic granuloma" test "$(grep -Ec '/(SCC|VASC|PYO)/[A-Z]*_P[1-8]_P[1-8][ab]\.png$' "$out/rare.list")" -eq 27
check "no mask is in a list" test "$(cat "$out"/*.list | grep -ci mask)" -eq 0
check "each path of the lists leads to an image" test -z "$(cat "$out"/*.list | while read -r path; do cmp -s "$path" "$TMP_TEST/one.png" || echo "$path"; done)"
check "exactly one label is in each path of the lists" test -z "$(cat "$out/common.list" "$out/rare.list" |
    awk 'NR == FNR { label[NR] = $0; n = NR; next } { m = 0; for (k = 1; k <= n; k++) m += index($0, label[k]) > 0; if (m != 1) print }' "$out/dermofit.labels" -)"
check "dermofit.names has ten names, in the order of the labels" test "$(paste -d: "$out/dermofit.labels" "$out/dermofit.names" | sed -n '8p'):$(wc -l <"$out/dermofit.names")" = "/VASC/:haemangioma:10"
check "groups.csv makes two images of a lesion a group" test "$(grep -c ',AK_P2$' "$out/groups.csv"):$(grep -c ',AK_P3$' "$out/groups.csv"):$(wc -l <"$out/groups.csv")" = 2:1:91
split() { sort "$out/common.train.list" "$out/common.valid.list" | cmp -s - <(sort "$out/common.list"); }
check "training and held-out images are the common ones" split
lesions_of() { sed 's/.*\/\(.*\)_.*/\1/' "$out/$1" | sort -u; }
check "no lesion is in the training list and in the held-out list" test -z "$(comm -12 <(lesions_of common.train.list) <(lesions_of common.valid.list))"
held() { local n; n=$(lesions_of common.valid.list | wc -l); [ "$n" -ge 2 ] && [ "$n" -le 18 ]; }
check "about 15% of 56 lesions are held out" held
check "the tuning .data file doesn't name the rare classes" test "$(grep -c rare "$out/dermofit-tune.data"):$(grep -c '^test' "$out/dermofit-tune.data")" = 0:0
state() { (cd "$out" && { find . -type l -printf '%p %l\n' | sort; md5sum ./*.* ; } | md5sum; ls -A); }
before=$(state)
check "dermofit.sh prepares the tree a second time" $prepare "$src" "$out"
check "dermofit.sh writes the same bytes a second time" test "$(state)" = "$before"

# The program reads it: the lists, the labels, the groups, PNG
sed 's/^max_batches=.*/max_batches=1/; s/^shots=5/shots=1/; s/^queries=10/queries=3/; s/^tasks=4/tasks=1/' cfg/smoke/maml.cfg >"$TMP_TEST/one.cfg"
check "meta train reads what dermofit.sh prepares" "$DARKNET_BIN" meta train "$out/dermofit.data" "$TMP_TEST/one.cfg"
check "meta test reads what dermofit.sh prepares" "$DARKNET_BIN" meta test "$out/dermofit.data" "$TMP_TEST/one.cfg" "$out/backup/one_final.weights" -runs 2
rm "$out"/backup/* "$out"/*.cache

wrong() { expect_error "$1" $prepare "$src" "$out"; }
expect_error "usage: scripts/dermofit.sh SRC OUT" $prepare "$src"
expect_error "nowhere: no such folder" $prepare "$TMP_TEST/nowhere" "$out"
expect_error "x/DF/y: has /DF/ in it" $prepare "$src" "$TMP_TEST/x/DF/y"
mkdir "$src/warts"; wrong "warts: is not a class of the library: must be named one of AK BCC"; rmdir "$src/warts"
mkdir "$src/actinic keratosis"; wrong "is a second folder of AK"; rmdir "$src/actinic keratosis"
mv "$src/AK" "$TMP_TEST/AK"; wrong "has no folder of AK: must have all ten classes"; mv "$TMP_TEST/AK" "$src/AK"
mkdir "$src/AK/P9"; cp "$TMP_TEST/one.png" "$src/AK/P9/P9mask.png"; wrong "AK/P9: has no image, only a mask"; rm -r "$src/AK/P9"
mkdir "$src/AK/P,9"; wrong "P,9: a comma"; rmdir "$src/AK/P,9"
check "a failure of dermofit.sh leaves what was there" test "$(state)" = "$before"
