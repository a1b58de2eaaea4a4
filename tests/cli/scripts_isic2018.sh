#!/bin/bash
# scripts/isic2018.sh on a small tree of the official layout, and, where the variable ISIC2018 names it, on the real one.
. tests/lib.sh
set -u
prepare=scripts/isic2018.sh
src="$TMP_TEST/the source" out="$TMP_TEST/the output"
images=ISIC2018_Task3_Training_Input truth=ISIC2018_Task3_Training_GroundTruth
table=$truth/$truth.csv
groupings=ISIC2018_Task3_Training_LesionGroupings.csv
codes="MEL NV BCC AKIEC BKL DF VASC"

[ "$TEST_VARIANT" = release ] || { skip "scripts/isic2018.sh" "runs nothing that was built"; exit; }

# A grey 16x16 JPEG
jpeg()
{
    base64 -d <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j
q62rZ4C8ybqmx5moq6T/wAALCAAQABABAREA/8QAFgABAQEAAAAAAAAAAAAAAAAAAgUG/8QAFxAAAwEAAAAAAAAAAAAAAAAAAAEE
Yf/aAAgBAQAAPwCWoMEoMNIoMEoMP//Z
END
}

# tree FOLDER LINE_END: makes 700 images, image i of class i mod 7, two a lesion
tree()
{
    mkdir -p "$1/$images" "$1/$truth"
    jpeg >"$1/one.jpg"
    awk -v codes="$codes" -v end="$2" -v truth="$1/$table" -v groups="$1/$groupings" 'BEGIN {
        n = split(codes, code, " ")
        header = "image"; for (k = 1; k <= n; k++) header = header "," code[k]
        print header end > truth
        print "image,lesion_id,diagnosis_confirm_type" end > groups
        for (i = 0; i < 700; i++) {
            name = sprintf("ISIC_%07d", 24306 + i); row = name
            for (k = 0; k < n; k++) row = row "," (i % n == k ? "1.0" : "0.0")
            print row end > truth
            printf "%s,HAM_%07d,histo%s\n", name, i % 7 * 1000 + int(i / 14), end > groups
            print name ".jpg"
        }
    }' | (cd "$1/$images" && while read -r name; do cp ../one.jpg "$name"; done)
}
mkdir "$src"
tree "$src" ""

check "isic2018.sh prepares a tree with blanks in its paths" $prepare "$src" "$out"
lines() { [ "$(wc -l <"$out/$1")" -eq "$2" ]; }
check "common.list holds MEL NV BCC BKL" lines common.list 400
check "rare.list holds AKIEC DF VASC" lines rare.list 300
check "rare.list holds no other class" test "$(grep -Ec '/(AKIEC|DF|VASC)/ISIC_[0-9]{7}\.jpg$' "$out/rare.list")" -eq 300
check "each image is in the folder of its class" test -z "$(cat "$out/common.list" "$out/rare.list" | awk -F/ -v codes="$codes" '
    BEGIN { split(codes, code, " ") }
    { i = substr($NF, 6, 7) - 24306; if ($(NF - 1) != code[i % 7 + 1]) print }')"
check "each path of the lists leads to an image" test -z "$(cat "$out/common.list" "$out/rare.list" | while read -r path; do
    cmp -s "$path" "$src/one.jpg" || echo "$path"; done)"
check "exactly one label is in each path of the lists" test -z "$(cat "$out/common.list" "$out/rare.list" |
    awk 'NR == FNR { label[NR] = $0; n = NR; next } { m = 0; for (k = 1; k <= n; k++) m += index($0, label[k]) > 0; if (m != 1) print }' \
    "$out/isic2018.labels" -)"
check "isic2018.labels has the official order" cmp -s <(for c in $codes; do echo "/$c/"; done) "$out/isic2018.labels"
check "isic2018.names has a name a class" lines isic2018.names 7
check "groups.csv has a header and a row an image" lines groups.csv 701
check "groups.csv has a group for each lesion" cmp -s <(sed 's/^\([^,]*,[^,]*\).*/\1/; 1s/.*/image,group/' "$src/$groupings") "$out/groups.csv"
split() { sort "$out/common.train.list" "$out/common.valid.list" | cmp -s - <(sort "$out/common.list"); }
check "training and held-out images are the common ones" split
lesions_of() { awk -F, 'NR == FNR { group[$1] = $2; next } { sub(/.*\//, ""); sub(/\.jpg$/, ""); print group[$0] }' "$out/groups.csv" "$out/$1" | sort -u; }
check "no lesion is in the training list and in the held-out list" test -z "$(comm -12 <(lesions_of common.train.list) <(lesions_of common.valid.list))"
held() { local n; n=$(lesions_of common.valid.list | wc -l); [ "$n" -ge 15 ] && [ "$n" -le 45 ]; }
check "about 15% of 200 lesions are held out" held
check "the final .data file trains on the common classes and tests on the rare" \
    test "$(grep -cE "^(train = $out/common.list|test = $out/rare.list|classes = 7|groups = $out/groups.csv|names = $out/isic2018.names|labels = $out/isic2018.labels|backup = $out/backup)$" "$out/isic2018.data")" -eq 7
check "the tuning .data file doesn't name the rare classes" \
    test "$(grep -c rare "$out/isic2018-tune.data"):$(grep -c '^test' "$out/isic2018-tune.data"):$(grep -c "^valid = $out/common.valid.list$" "$out/isic2018-tune.data")" = 0:0:1
check "the .data file of a study has what the tuning one has, and the rare classes" cmp -s <(sed '/^valid/a '"test = $out/rare.list" "$out/isic2018-tune.data") "$out/isic2018-study.data"
check "isic2018.sh makes the folders for weights" test -d "$out/backup" -a -d "$out/backup-tune"

state() { (cd "$out" && { find . -type l -printf '%p %l\n' | sort; md5sum ./*.* ; } | md5sum; ls -A); }
before=$(state)
touch "$out/backup/kept.weights"
check "isic2018.sh prepares the tree a second time" $prepare "$src" "$out"
check "isic2018.sh writes the same bytes a second time" test "$(state)" = "$before"
check "isic2018.sh keeps weights that are there" test -f "$out/backup/kept.weights"
mkdir "$TMP_TEST/crlf"
tree "$TMP_TEST/crlf" $'\r'
check "isic2018.sh reads tables with CR LF" $prepare "$TMP_TEST/crlf" "$TMP_TEST/crlf out"
check "tables with CR LF give the same groups" cmp -s "$out/groups.csv" "$TMP_TEST/crlf out/groups.csv"
check "tables with CR LF give the same split" cmp -s <(sed 's:.*/::' "$out/common.valid.list") <(sed 's:.*/::' "$TMP_TEST/crlf out/common.valid.list")

# Each error is one line, and what was there stays.
cp -r "$src" "$TMP_TEST/bad"
bad=$TMP_TEST/bad
restore() { cp "$src/$table" "$bad/$table"; cp "$src/$groupings" "$bad/$groupings"; }
wrong() { expect_error "$1" $prepare "$bad" "$out"; restore; }
expect_error "usage: scripts/isic2018.sh SRC OUT" $prepare "$src"
expect_error "nowhere: no such folder" $prepare "$TMP_TEST/nowhere" "$out"
expect_error "$images: no such folder: SRC must be" $prepare "$TMP_TEST" "$out"
expect_error "x/NV/y: has /NV/ in it" $prepare "$src" "$TMP_TEST/x/NV/y"
expect_error "x/DF: has /DF/ in it" $prepare "$src" "$TMP_TEST/x/DF/"
sed -i '1s/MEL,NV/NV,MEL/' "$bad/$table"; wrong "$table:1: the header is .*: must be image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
sed -i '7s/,1.0//' "$bad/$table"; wrong "$table:7: 7 columns: must be 8"
sed -i '7s/1\.0/0.5/' "$bad/$table"; wrong "$table:7: DF=0.5: must be 0 or 1"
sed -i '7s/1\.0/0.0/' "$bad/$table"; wrong "$table:7: ISIC_0024311: has no class"
sed -i '7s/,0\.0/,1.0/' "$bad/$table"; wrong "$table:7: ISIC_0024311: has two classes, MEL and DF"
sed -i '7s/ISIC_0024311/ISIC_0024310/' "$bad/$table"; wrong "$table:7: ISIC_0024310: is there a second time"
sed -i '7d' "$bad/$table"; wrong "$images/ISIC_0024311.jpg: isn't in .*$table"
sed -i '/,1.0$/d' "$bad/$table"; wrong "isn't in|no image of VASC"
sed -i '1s/lesion_id/lesion/' "$bad/$groupings"; wrong "$groupings:1: the header is .*: must begin with image,lesion_id"
sed -i '7s/,.*//' "$bad/$groupings"; wrong "$groupings:7: \"ISIC_0024311\": must be an image and its lesion"
sed -i '7s/ISIC_0024311/ISIC_0024310/' "$bad/$groupings"; wrong "$groupings:7: ISIC_0024310: is there a second time"
sed -i '7d' "$bad/$groupings"; wrong "$table:7: ISIC_0024311: has no lesion in .*$groupings"
: >"$bad/$groupings"; wrong "$groupings: is empty"
rm "$bad/$images/ISIC_0024311.jpg"; wrong "$table:7: .*$images/ISIC_0024311.jpg: no such image"
rm "$bad/$groupings"; wrong "$groupings: no such file"
mkdir -p "$TMP_TEST/mine/NV"; touch "$TMP_TEST/mine/NV/photo.jpg"
expect_error "mine/NV: holds files that aren't links" $prepare "$src" "$TMP_TEST/mine"
check "a failure of isic2018.sh leaves what was there" test "$(state | grep -v kept)" = "$before"

# The stock program reads the same lists; it takes blanks out of a .data file's values.
if command -v darknet >/dev/null; then
    stock=$TMP_TEST/stock
    $prepare "$src" "$stock" >/dev/null
    cat >"$stock/tiny.cfg" <<'END'
[net]
batch=8
subdivisions=1
height=16
width=16
channels=3
min_crop=16
max_crop=16
learning_rate=0.1
policy=constant
max_batches=2

[connected]
output=7
activation=linear

[softmax]
groups=1
END
    stock_trains() { (cd "$stock" && darknet classifier train isic2018.data tiny.cfg >log 2>&1); [ -s "$stock/backup/tiny.weights" ]; }
    check "stock darknet trains on the prepared lists" stock_trains
    check "stock darknet finds exactly one label in each path" test "$(grep -c 'Too many or too few labels' "$stock/log")" -eq 0
else
    skip "stock darknet trains on the prepared lists" "no darknet here"
fi

if [ -n "${ISIC2018:-}" ]; then
    real=$TMP_TEST/real
    start=$SECONDS
    check "isic2018.sh prepares the real data" $prepare "$ISIC2018" "$real"
    check "isic2018.sh prepares the real data in under a minute" test $((SECONDS - start)) -lt 60
    figures() { [ "$(cat "$real/common.list" "$real/rare.list" | awk -F/ '{ n[$(NF - 1)]++ } END { print n["MEL"], n["NV"], n["BCC"], n["AKIEC"], n["BKL"], n["DF"], n["VASC"] }')" = "1113 6705 514 327 1099 115 142" ]; }
    check "the real data has 10,015 images, class by class" figures
    check "the real data has 7,470 lesions" test "$(tail -n +2 "$real/groups.csv" | cut -d, -f2 | sort -u | wc -l)" -eq 7470
    check "1,403 images of the real data are held out" test "$(wc -l <"$real/common.valid.list")" -eq 1403
else
    skip "the real data: 10,015 images of 7,470 lesions" "ISIC2018 doesn't name its folder"
fi
