#!/bin/bash
# scripts/fashion-mnist.sh and its decoder, on Debian's files and on damaged ones.
. tests/lib.sh
set -u
prepare=scripts/fashion-mnist.sh
data=/usr/share/datasets/fashion-mnist
out="$TMP_TEST/the output"
export IDX_IMAGES=$BUILD/idx_images

# In the valgrind variant the decoder runs under Memcheck.
if [ "$TEST_VARIANT" = valgrind ]; then
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$BUILD/tests/valgrind/run" "$IDX_IMAGES" >"$TMP_TEST/decoder"
    chmod +x "$TMP_TEST/decoder"
    IDX_IMAGES=$TMP_TEST/decoder
fi
[ -f $data/train-images-idx3-ubyte.gz ] || { skip "scripts/fashion-mnist.sh" "no dataset-fashion-mnist here"; exit; }

check "fashion-mnist.sh prepares 40 images a class" $prepare "$out" 40
lines() { [ "$(wc -l <"$out/$1")" -eq "$2" ]; }
check "common.train.list has 34 images of each of 7 classes" lines common.train.list 238
check "common.valid.list has 6 images of each of 7 classes" lines common.valid.list 42
check "rare.list has 40 images of each of 3 classes" lines rare.list 120
per_class() { sed 's:/[^/]*$::; s:.*/::' "$out/$1" | sort | uniq -c | awk '{ printf "%s %s,", $2, $1 }'; }
check "rare.list holds sneaker, bag and boot" test "$(per_class rare.list)" = "bag 40,boot 40,sneaker 40,"
check "common.valid.list has as many images of every common class" \
    test "$(per_class common.valid.list)" = "coat 6,dress 6,pullover 6,sandal 6,shirt 6,t-shirt 6,trouser 6,"
check "no image is listed twice" test -z "$(cat "$out"/*.list | sort | uniq -d)"
check "exactly one label is in each path of the lists" test -z "$(cat "$out"/*.list | awk '
    NR == FNR { label[NR] = $0; n = NR; next } { m = 0; for (k = 1; k <= n; k++) m += index($0, label[k]) > 0; if (m != 1) print }' \
    "$out/fashion.labels" -)"
check "fashion.data names its lists, names, labels and backup folder" test "$(grep -cE "^(classes = 10|names = $out/fashion.names|labels = $out/fashion.labels|train = $out/common.train.list|valid = $out/common.valid.list|test = $out/rare.list|backup = $out/backup)$" "$out/fashion.data")" -eq 7

# Against another reading of the idx files: the labels as text, the pixels by offset
zcat $data/train-labels-idx1-ubyte.gz | tail -c +9 | od -An -v -tu1 -w1 | head -n 2000 | awk '{ print $1, NR - 1, n[$1]++ }' >"$TMP_TEST/order"
zcat $data/train-images-idx3-ubyte.gz | head -c $((16 + 2000 * 784)) >"$TMP_TEST/pixels"
pixels()
{
    local folders=(t-shirt trouser pullover dress coat sandal shirt sneaker bag boot) label at rank file compared=0
    while read -r label at rank; do
        [ "$rank" -lt 40 ] && [ $((rank % 13)) -eq 0 ] || continue
        file=$(printf '%s/%s/%05d.pgm' "$out" "${folders[label]}" "$rank")
        cmp -s "$file" <(printf 'P5\n28 28\n255\n'; tail -c +$((17 + at * 784)) "$TMP_TEST/pixels" | head -c 784) || { echo "$file"; return 1; }
        compared=$((compared + 1))
    done <"$TMP_TEST/order"
    [ $compared -eq 40 ]
}
check "pixels of the images are those of the idx file" pixels

state() { (cd "$out" && find . -type f ! -path './backup/*' -exec md5sum {} + | sort | md5sum; ls -A); }
before=$(state)
touch "$out/backup/kept"
check "fashion-mnist.sh prepares the images a second time" $prepare "$out" 40
check "fashion-mnist.sh writes the same bytes a second time" test "$(state)" = "$before"
check "fashion-mnist.sh keeps weights that are there" test -f "$out/backup/kept"

bad=$TMP_TEST/bad
wrong() { FASHION_MNIST=$bad expect_error "$@"; rm -rf "$bad"; }
idx() { printf "$1" | cat - /dev/zero | head -c "$2" | gzip; }
mkdir "$bad"; wrong "train-images-idx3-ubyte.gz: no such file" $prepare "$out"
damaged() { mkdir "$bad"; ln -s $data/*.gz "$bad"; rm "$bad/train-$1"; cat >"$bad/train-$1"; }
head -c 100000 $data/train-images-idx3-ubyte.gz | damaged images-idx3-ubyte.gz; wrong "images-idx3-ubyte.gz: ends too early" $prepare "$out"
idx '\0\0\010\001\0\0\0\012' 18 | damaged images-idx3-ubyte.gz; wrong "images-idx3-ubyte.gz: isn't an idx file of images" $prepare "$out"
idx '\0\0\010\003\0\0\0\012' 26 | damaged labels-idx1-ubyte.gz; wrong "labels-idx1-ubyte.gz: isn't an idx file of labels" $prepare "$out"
idx '\0\0\010\001\0\0\0\012' 18 | damaged labels-idx1-ubyte.gz; wrong "labels-idx1-ubyte.gz: doesn't have as many labels" $prepare "$out"
idx '\0\0\010\003\0\0\352\140\0\0\0\034\377\0\0\034' 2000 | damaged images-idx3-ubyte.gz; wrong "image sides must be 1 to 4096" $prepare "$out"
idx '\0\0\010\001\0\0\352\140\1\1\1\1\17' 60008 | damaged labels-idx1-ubyte.gz; wrong "has a label without a name" $prepare "$out"
idx '\0\0\010\001\0\0\352\140' 60009 | damaged labels-idx1-ubyte.gz; wrong "goes on after its last value" $prepare "$out"
idx '\0\0\010\001\0\0\352\140' 60008 | damaged labels-idx1-ubyte.gz; wrong "0 images of trouser, fewer than 600" $prepare "$out"
expect_error "usage: scripts/fashion-mnist.sh" $prepare
expect_error "COUNT 19: must be 20 to 6000" $prepare "$out" 19
expect_error "COUNT 6001: must be" $prepare "$out" 6001
expect_error "COUNT all: must be" $prepare "$out" all
expect_error "has /bag/ in it" $prepare "$TMP_TEST/bag"
mkdir -p "$TMP_TEST/mine/coat"; touch "$TMP_TEST/mine/coat/photo.png"
expect_error "mine/coat: holds other files" $prepare "$TMP_TEST/mine"
check "a failure of fashion-mnist.sh leaves what was there" test "$(state)" = "$before"
expect_error "usage: idx_images" "$IDX_IMAGES" a b c 0 d
expect_error "nowhere: No such file" "$IDX_IMAGES" "$TMP_TEST/nowhere" b "$TMP_TEST" 1 d
