#!/bin/bash
# scripts/subclasses.py: classes that are split by what a network sees in them, for trainings of a table
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a out=$TMP_TEST/out
toy "$a"
darknet() { "$DARKNET_BIN" "$@"; }
for k in $(seq 0 7); do for i in $(seq 0 15); do echo "c${k}_$i.pgm,c${k}p$((i / 2))"; done; done | { echo image,group; cat; } >"$a/groups.csv"
printf 'groups=%s ; by lesion\ndecode=full\r\n' "$a/groups.csv" >>"$a/toy.data"
split() { scripts/subclasses.py "$@" >"$TMP_TEST/said" 2>&1 || { cat "$TMP_TEST/said"; return 1; }; }
check 'meta train runs' darknet meta train "$a/toy.data" "$a/toy.cfg" -name first
w=$a/backup/first_final.weights
sed '/^train/d' "$a/toy.data" >"$a/none.data"
if python3 -c 'import numpy, sklearn' 2>/dev/null; then
    expect_error '^scripts/subclasses\.py: .*none\.cfg: No such file or directory$' scripts/subclasses.py "$a/toy.data" "$a/none.cfg" "$w" "$out"
    expect_error '^scripts/subclasses\.py: .*none\.weights: No such file or directory$' scripts/subclasses.py "$a/toy.data" "$a/toy.cfg" "$a/none.weights" "$out"
    expect_error '^scripts/subclasses\.py: .*none\.data: train= is missing$' scripts/subclasses.py "$a/none.data" "$a/toy.cfg" "$w" "$out"
    mkdir -p "$TMP_TEST/other/sub"; echo mine >"$TMP_TEST/other/sub/file"
    expect_error '^scripts/subclasses\.py: .*other: is not of an earlier call: OUT must be new$' scripts/subclasses.py "$a/toy.data" "$a/toy.cfg" "$w" "$TMP_TEST/other/"
    check "another's folder is left as it is" test "$(cat "$TMP_TEST/other/sub/file")" = mine
else expect_error '^scripts/subclasses\.py: .*: subclasses need python3-numpy and python3-sklearn' scripts/subclasses.py "$a/toy.data" "$a/toy.cfg" "$w" "$out"
fi
check 'what is refused makes nothing' test ! -e "$out"
if ! python3 -c 'import numpy, sklearn' 2>/dev/null; then skip 'subclasses' 'python3-sklearn is not there'; exit; fi
check 'scripts/subclasses.py splits classes' split "$a/toy.data" "$a/toy.cfg" "$w" "$out" --most 2 --least 3
data=$out/sub/sub.data
check 'and says where' test "$(tail -n 1 "$TMP_TEST/said")" = "$data"
rows() { tail -n +2 "$out/subclasses.csv" | tr -d '\r'; }
check 'some in two, none in more' sh -c "n=\$(grep -c . '$out/sub/sub.labels'); [ \$n -gt 4 ] && [ \$n -le 8 ]"
check 'a group is in one' test "$(rows | cut -d, -f3 | sort -u | wc -l) $(rows | cut -d, -f2,3 | sort -u | wc -l)" = '32 32'
check 'no image is lost, none is of a class of another name' test "$(rows | awk -F, '{ c = $2; sub(/-.*/, "", c); if ($1 ~ c) n++ } END { print n, NR }')" = '64 64'
check 'images are read as those of DATA' grep -q '^decode = full$' "$data"
check 'meta train takes its .data file' darknet meta train "$data" "$a/toy.cfg" -name second
before=$(ls -l --full-time "$out" "$out/sub")
check 'the same command finds it there' split "$a/toy.data" "$a/toy.cfg" "$w" "$out" --most 2 --least 3
check 'and leaves it as it is' test "$(ls -l --full-time "$out" "$out/sub")" = "$before"
expect_error '^scripts/subclasses\.py: .*out/made_of\.json: is of another --most: must be another OUT$' scripts/subclasses.py "$a/toy.data" "$a/toy.cfg" "$w" "$out" --most 3 --least 3
expect_error '^scripts/subclasses\.py: .*out/made_of\.json: is of another weights: must be another OUT$' scripts/subclasses.py "$a/toy.data" "$a/toy.cfg" "$out/sub/backup/second_final.weights" "$out" --most 2 --least 3
