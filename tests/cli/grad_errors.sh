#!/bin/bash
# meta grad: everything it refuses, in words, and that it then leaves nothing behind.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a"
oracle=tests/oracle/order2 data=tests/oracle/oracle.data cfg=$oracle/net.cfg images=tests/oracle/images
gunzip -c $oracle/initial.weights.gz >"$a/w.weights"
weights=$a/w.weights
refuses() { expect_error "$1" "$DARKNET_BIN" meta grad $data "$cfg" "$weights" -episode "${2:-$oracle/episode.txt}" -out "$a/g.weights" "${@:3}"; }
episode() { printf '%s\n' "$@" >"$a/e.txt"; }
good="support 0 $images/rgb_class0_00.png"
query="query 1 $images/rgb_class1_00.png"

expect_error 'usage: darknet meta grad DATA CFG WEIGHTS -episode FILE -out FILE' "$DARKNET_BIN" meta grad $data $cfg
expect_error '^darknet: -episode is missing' "$DARKNET_BIN" meta grad $data $cfg "$weights" -out "$a/g.weights"
expect_error '^darknet: -out is missing' "$DARKNET_BIN" meta grad $data $cfg "$weights" -episode $oracle/episode.txt
refuses '^darknet: -backend cuda: must be onednn or reference' '' -backend cuda
refuses '^darknet: -kernels fast: must be own or onednn' '' -kernels fast
refuses '^darknet: -kernels onednn: must be own with -backend reference' '' -kernels onednn
refuses '^darknet: -iteration -1: must be' '' -iteration -1
refuses '^darknet: -iteration x: must be a whole number' '' -iteration x
refuses '^darknet: -seed: unknown flag; allowed: -episode -out -iteration -backend -kernels -h' '' -seed 1

refuses "nosuch.txt: " "$a/nosuch.txt"
episode "$good" '' '# nothing' "query 2 $images/rgb_class1_00.png";  refuses 'e\.txt:4: label 2: must be 0 to 1$' "$a/e.txt"
episode "$good" "query -1 $images/rgb_class1_00.png";                refuses 'e\.txt:2: label -1: must be 0 to 1$' "$a/e.txt"
episode "$good" "query 1x $images/rgb_class1_00.png";                refuses 'e\.txt:2: label 1x: must be 0 to 1$' "$a/e.txt"
episode "$good" "query 99999999999999999999 $images/rgb_class1_00.png"; refuses 'e\.txt:2: label 99999999999999999999: must be 0 to 1$' "$a/e.txt"
episode "train 0 $images/rgb_class0_00.png" "$query";                refuses 'e\.txt:1: train: must be support or query$' "$a/e.txt"
episode "$good" "supporting 0 x.png" "$query";                       refuses 'e\.txt:2: supporting: must be support or query$' "$a/e.txt"
episode "$good" 'query';                                             refuses 'e\.txt:2: no label: ' "$a/e.txt"
episode "$good" 'query 1';                                           refuses 'e\.txt:2: no path: ' "$a/e.txt"
episode "$good";                                                     refuses 'e\.txt: has 1 support and 0 query images: must have at least one of each$' "$a/e.txt"
episode "$query";                                                    refuses 'e\.txt: has 0 support and 1 query images: ' "$a/e.txt"
episode '# nothing';                                                 refuses 'e\.txt: has 0 support and 0 query images: ' "$a/e.txt"
episode "$good" "query 1 $a/nosuch.png";                             refuses 'e\.txt:2: .*nosuch\.png: ' "$a/e.txt"
head -c 300 $images/rgb_class1_00.png >"$a/cut.png"
episode "$good" "query 1 $a/cut.png";                                refuses 'e\.txt:2: .*cut\.png: corrupt PNG' "$a/e.txt"
episode "$good" "query 1 ; touch $a/hacked; #.png";                  refuses 'e\.txt:2: ; touch ' "$a/e.txt"
episode "$good" "query 1 \$(touch $a/hacked).png";                   refuses 'e\.txt:2: ' "$a/e.txt"
check 'meta grad runs no path as a command' test ! -e "$a/hacked"

weights=$a/nosuch.weights refuses 'nosuch\.weights: '
weights=$a/w.weights
head -c -4 "$weights" >"$a/short.weights"
weights=$a/short.weights refuses 'short\.weights: '
weights=$a/w.weights
cfg=$a/nosuch.cfg refuses 'nosuch\.cfg: '
cfg=$oracle/net.cfg
{ cat $data; echo 'classes=3'; } >"$a/twice.data"
data=$a/twice.data refuses 'twice\.data:3: .*classes'
data=$a/nosuch.data refuses 'nosuch\.data: '
printf 'classes=2\nlabels=tests/oracle/labels.list\n' >"$a/two.data"
data=$a/two.data refuses 'labels\.list.*classes=2|classes=2.*labels|two\.data'
data=tests/oracle/oracle.data

sed 's/^learning_rate=.*/learning_rate=1e30/' $oracle/net.cfg >"$a/fast.cfg"
cfg=$a/fast.cfg
expect_error '(fast\.cfg: the gradient is not finite: \[inner_loop\] learning_rate=|fast\.cfg:[0-9]+: \[inner_loop\] learning_rate=1e30: must be)' \
    "$DARKNET_BIN" meta grad $data "$cfg" "$weights" -episode $oracle/episode.txt -out "$a/g.weights"
cfg=$oracle/net.cfg
check 'a refused meta grad writes no gradient' test ! -e "$a/g.weights"
expect_error 'nosuch/g\.weights' "$DARKNET_BIN" meta grad $data $cfg "$weights" -episode $oracle/episode.txt -out "$a/nosuch/g.weights"
check 'a meta grad that cannot write prints nothing' test ! -s "$test_log/out"
check 'refused runs of meta grad leave no file behind' test "$(ls "$a" | grep -cv -E '^(w|short)\.weights$|^e\.txt$|^cut\.png$|^(twice|two)\.data$|^fast\.cfg$')" -eq 0
