# scripts/stock_cfgs.py: which .cfg files of a checkout are read, with stock's outputs.
. tests/lib.sh
[ "$TEST_VARIANT" = release ] || { skip 'the script over .cfg files of other Darknets' 'as in release'; exit; }
t=$TMP_TEST
mkdir -p "$t/one/cfg" "$t/two"
net='[net]\nbatch=8\nsubdivisions=2\nwidth=12\nheight=10\nchannels=3\n'
conv='[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\n[maxpool]\nsize=2\nstride=2\n'
head='[convolutional]\nfilters=5\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n'
printf "$net$conv$head[cost]\ntype=sse\n" >"$t/one/cfg/cost.cfg"
printf "$net$conv$head" >"$t/one/cfg/plain.cfg"
printf "$net$conv$head" | sed 's/$/\r/' >"$t/two/same.cfg"
printf "$net$conv[yolo]\n" >"$t/one/cfg/detector.cfg"
printf "$net[lrn]\n$conv$head" >"$t/two/lrn.cfg"
library=$(libdarknet_of "$DARKNET_BIN")
run() { scripts/stock_cfgs.py -darknet "$(dirname "$library")" "$@"; }

run -least 2 "$t/one" "$t/two" >"$t/out" 2>"$t/err"
check 'the script over .cfg files of other Darknets ends with 0 where enough are read' test $? -eq 0
check 'outputs of a .cfg that ends in [cost] are those of stock' grep -Eq '^outputs +[0-9.]+e-(0[6-9]|1[0-9]) .* stock +.*one/cfg/cost.cfg$' "$t/out"
check 'a .cfg that is not read has the line that says why' grep -Eq '^-  .*two/lrn.cfg:7: \[lrn\]: ' "$t/out"
check 'the same lines count once, and a detector does not count' grep -q '^2 of 3 classification .cfg files' "$t/out"
expect_error '^stock_cfgs.py: 2 files: must be at least 3$' run -least 3 "$t/one" "$t/two"
expect_error 'nowhere: no such folder$' run "$t/nowhere"
