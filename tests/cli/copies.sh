#!/bin/bash
# One photograph under several names: in a class, in two classes, in two lists.
. tests/lib.sh
. tests/noise.sh
t=$TMP_TEST/t
mkdir -p "$t/backup"
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$t/out" 2>"$t/err"; }

noise "$t" _ 12
printf '%s\n' k0_ k1_ k2_ k3_ >"$t/labels"
data() { printf 'classes=4\nlabels=%s\ntrain=%s\ntest=%s\nbackup=%s\n' "$t/labels" "$t/$2.list" "$t/$3.list" "$t/backup" >"$t/$1.data"; }
noise_cfg 5 >"$t/n.cfg"
data plain train test
darknet meta train "$t/plain.data" "$t/n.cfg" -threads 1 >/dev/null || test_failed 'meta train makes weights' "$t/err"
nearest() { quiet darknet meta test "$t/$1.data" "$t/n.cfg" "$t/backup/n_final.weights" -method knn -layer 0 -neighbours 1 -runs 200 -threads 2; }
auc() { awk '$1 == "AUC" && $2 == "after" { print $3 }' "$t/out"; }

# In one class: a list of every image twice, and a list of every image once
for list in train test; do
    while read -r f; do
        cp "$f" "${f%.pgm}_copy.pgm"
        printf '%s\n' "$f" "${f%.pgm}_copy.pgm"
    done <"$t/$list.list" >"$t/twice-$list.list"
done
data twice twice-train twice-test
check 'meta test runs on noise' nearest plain
plain=$(auc)
check 'meta test says nothing of copies where there are none' sh -c "! grep -q 'the same as' '$t/out' && ! test -s '$t/err'"
check 'meta test runs on noise of which every image is there twice' nearest twice
check 'the nearest neighbour of an image is not its copy: the AUC is that of each image once' awk "BEGIN { exit !($(auc) < $plain + .06) }"
check 'meta test says how many images are copies, with two of them' grep -Fxq \
    "$t/twice-test.list: 24 of the 48 images are the same as an earlier one, such as $t/k2_0_copy.pgm on line 2 and $t/k2_0.pgm on line 1: copies are kept together as a group is" "$t/out"
check 'copies are one group of query images' grep -q 'as if the 24 groups of the images' "$t/out"
check 'meta train says how many images are copies' sh -c "'$DARKNET_BIN' meta train '$t/twice.data' '$t/n.cfg' -name twice -threads 1 | grep -q 'twice-train.list: 24 of the 48 images are the same as an earlier one'"
check 'meta doctor runs where images are there twice' quiet darknet meta doctor "$t/twice.data" "$t/n.cfg" -seconds .01 -threads 1
check 'meta doctor warns of copies in a class' grep -q "^warning  test        24 of 48 images are the same, byte for byte, as an earlier one, such as $t/twice-test.list:2: $t/k2_0_copy.pgm and line 1: $t/k2_0.pgm: " "$t/out"

# A copy is in its own group and in that of the other: the twelve images of a class then are one group.
{ echo image,group; for c in 2 3; do for k in 0 1 2 3 4 5 6 7 8 9 10 11; do echo "k${c}_$k,g$c-$((k / 2))"; done; done
  for k in 0 1 2 3 4; do echo "k2_$((2 * k))_copy,g2-$((k + 1))"; done; } >"$t/groups.csv"
{ cat "$t/test.list"; for k in 0 2 4 6 8; do echo "$t/k2_${k}_copy.pgm"; done; } >"$t/chain.list"
data chain train chain
echo "groups=$t/groups.csv" >>"$t/chain.data"
shown() { darknet meta test "$t/$1.data" "$t/n.cfg" "$t/backup/n_final.weights" "${@:2}"; }
expect_error 'chain.list: class k2_ has 17 images in 1 group, the largest of 17: too few' shown chain

# In two classes
cp "$t/k0_3.pgm" "$t/k1_other.pgm"
{ cat "$t/train.list"; echo "$t/k1_other.pgm"; } >"$t/two.list"
data two two two
cp "$t/two.data" "$t/kept.data"
said="$t/two.list:25: $t/k1_other.pgm: is the same image as $t/k0_3.pgm on line 4, which is of class k0_, not k1_: must be in one class"
for verb in train pretrain test adapt; do
    words=("$t/two.data" "$t/n.cfg")
    case $verb in
    test) words+=("$t/backup/n_final.weights") ;;
    adapt)
        sed -i 's/^classes=4/classes=2/; s/labels$/few/' "$t/two.data"
        printf 'k0_\nk1_\n' >"$t/few"
        words+=("$t/backup/n_final.weights" -out "$t/adapted") ;;
    pretrain) sed '/^\[episode\]/,/^tasks/d; /^\[inner_loop\]/,$d' "$t/n.cfg" >"$t/p.cfg"; words[1]=$t/p.cfg ;;
    esac
    expect_error "${said//./\\.}" darknet meta $verb "${words[@]}"
done
quiet darknet meta doctor "$t/kept.data" "$t/n.cfg" -seconds .01 -threads 1
check 'meta doctor finds a copy in another class wrong' grep -Fxq "wrong    train       $said" "$t/out"

# In two lists
for k in 0 5 7; do cp "$t/k0_$k.pgm" "$t/k2_seen$k.pgm"; echo "$t/k2_seen$k.pgm"; done >"$t/seen"
cat "$t/test.list" "$t/seen" >"$t/both.list"
data both train both
check 'meta test runs where test has images of train' nearest both
check 'meta test warns of images that are in train, with their number' grep -Fxq \
    "darknet: warning: $t/both.list: 3 of its 27 images are in $t/train.list, too, such as $t/k2_seen0.pgm on line 25, there $t/k0_0.pgm on line 1: what is found on them is too good for images not seen before" "$t/err"
quiet darknet meta doctor "$t/both.data" "$t/n.cfg" -seconds .01 -threads 1
check 'meta doctor finds images of test that are in train wrong' grep -Fxq \
    "wrong    lists       3 images of test are the same as one of train, such as $t/both.list:25: $t/k2_seen0.pgm and $t/train.list:1: $t/k0_0.pgm: remove them from one list" "$t/out"
data gone none both
check 'meta test needs no training list' nearest gone
check 'without a training list meta test warns of nothing' test ! -s "$t/err"
echo "valid=$t/both.list" >>"$t/plain.data"
check 'meta train runs where valid has images of train' quiet darknet meta train "$t/plain.data" "$t/n.cfg" -threads 1 -valid_every 0
check 'meta train says nothing of a valid list that it does not watch' test ! -s "$t/err"
check 'meta train runs and watches the valid list' quiet darknet meta train "$t/plain.data" "$t/n.cfg" -threads 1 -valid_every 2
check 'meta train warns of images of valid that are in train' grep -q "^darknet: warning: $t/both.list: 3 of its 27 images are in $t/train.list, too" "$t/err"
