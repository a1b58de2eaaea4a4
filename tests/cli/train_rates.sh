#!/bin/bash
# [inner_loop] rates=layer and parameter: the files of learned rates beside the weights, who reads them, and that a training goes on bit for bit.
. tests/lib.sh
. tests/toy.sh
no_charts
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$TMP_TEST/out" 2>"$TMP_TEST/err"; }
rates_of() { sed -n '3,$p' "$1" | grep -v end; }
few()      # FOLDER: a list of ten images of two classes
{
    printf 'c6_\nc7_\n' >"$1/few.labels"
    for k in 0 1 2 3 4; do printf '%s\n' "$1/images/c6_$k.pgm" "$1/images/c7_$k.pgm"; done >"$1/few.list"
    printf 'classes=2\nlabels=%s\ntrain=%s\n' "$1/few.labels" "$1/few.list" >"$1/few.data"
}

for kind in layer parameter; do
    a=$TMP_TEST/$kind whole=$TMP_TEST/$kind-whole
    toy "$a"
    few "$a"
    sed -i "s/^\[inner_loop\]/&\nrates=$kind/" "$a/toy.cfg"
    toy_twin "$a" "$whole"
    flags=(-seed 5 -backup_every 4 -valid_every 0)
    check "rates=$kind: a training runs" train "$whole" "${flags[@]}" -max_batches 12
    check "rates=$kind: the rates lie beside final weights, backup and kept weights" test -s "$whole/backup/toy_final.rates" -a -s "$whole/backup/toy.backup.rates"
    check "rates=$kind: the rates have left where they began" test "$(rates_of "$whole/backup/toy_final.rates" | sort -u | wc -l)" -gt 2
    check "rates=$kind: a training on one thread stops" train "$a" "${flags[@]}" -threads 1 -max_batches 5
    check "rates=$kind: it is resumed on two" train "$a" "${flags[@]}" -threads 2 -max_batches 12 -resume
    check "rates=$kind: it ends bit for bit as an unbroken one" same_end "$a" "$whole"
    check "rates=$kind: so do its rates" same "$a/backup/toy_final.rates" "$whole/backup/toy_final.rates"

    w=$a/backup/toy_final.weights
    check "rates=$kind: a training from weights runs" quiet darknet meta train "$a/toy.data" "$a/toy.cfg" "$w" -name from -clear -valid_every 0 -max_batches 2
    check "rates=$kind: it says that their rates are taken" grep -qx "Rates of the inner steps from ${w%.weights}.rates, in place of learning_rate=0.1" "$TMP_TEST/out"
    cp "$w" "$a/alone.weights"
    check "rates=$kind: a training from weights without rates runs" quiet darknet meta train "$a/toy.data" "$a/toy.cfg" "$a/alone.weights" -name alone -clear -valid_every 0 -max_batches 2
    check "rates=$kind: it says where they begin" grep -qx "No $a/alone.rates: the rates of the inner steps begin at learning_rate=0.1" "$TMP_TEST/out"
    check "rates=$kind: meta test reads them" quiet darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 3 -threads 1 -out "$a/one.json"
    check "rates=$kind: the result names them" grep -Eq "\"rates\":\s*\"$kind\"" "$a/one.json"
    check "rates=$kind: the result has their file" python3 -c 'import json, sys, zlib; f = json.load(open(sys.argv[1]))["files"]["rates"]; b = open(sys.argv[2], "rb").read(); assert f == {"path": sys.argv[2], "bytes": len(b), "crc32": "%08x" % zlib.crc32(b)}, f' "$a/one.json" "${w%.weights}.rates"
    check "rates=$kind: meta adapt reads them" quiet darknet meta adapt "$a/few.data" "$a/toy.cfg" "$w" -out "$a/new"
    check "rates=$kind: meta adapt says that its steps are at learned rates" grep -q ', 3 steps at learned rates, ' "$TMP_TEST/out"
    cp "$a/new.weights" "$a/first.weights"
    check "rates=$kind: meta calibrate runs" quiet darknet meta calibrate "$a/toy.data" "$a/toy.cfg" "$w" -shots 2 -runs 4
    check "rates=$kind: meta test takes the temperature" quiet darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 3 -threads 1
    sed -i '3,$s/^\(-*\)0\./\10.9/' "$a/backup/toy_final.rates"
    expect_error "toy_final.temperature: is of other weights or learned rates than" darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 3 -threads 1
    rm -f "${w%.weights}.temperature"
    check "rates=$kind: meta test works by other rates" quiet darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 3 -threads 1 -out "$a/two.json"
    check "rates=$kind: other rates give other results" test "$(grep auc_after "$a/one.json")" != "$(grep auc_after "$a/two.json")"
    check "rates=$kind: meta adapt works by other rates" quiet darknet meta adapt "$a/few.data" "$a/toy.cfg" "$w" -out "$a/new"
    check "rates=$kind: other rates give another network" differ "$a/new.weights" "$a/first.weights"

    head -n -1 "$a/backup/toy_final.rates" >"$a/cut" && mv "$a/cut" "$a/backup/toy_final.rates"
    expect_error 'toy_final\.rates: [0-9]+ numbers and no end: must be [0-9]+ and the line `end`' darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 1
    expect_error 'toy_final\.rates: [0-9]+ numbers and no end' darknet meta train "$a/toy.data" "$a/toy.cfg" "$w" -name other -clear
    rm "$a/backup/toy_final.rates"
    expect_error "toy_final\.rates: isn't there: \[inner_loop\] rates=$kind: the learned rates must lie beside the .weights" darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 1
    expect_error "toy_final\.rates: isn't there" darknet meta adapt "$a/few.data" "$a/toy.cfg" "$w" -out "$a/none"
    check "rates=$kind: a method without inner steps needs no rates" quiet darknet meta test "$a/toy.data" "$a/toy.cfg" "$w" -runs 1 -method knn
    check "rates=$kind: a training from weights without rates begins at learning_rate" train "$a" "${flags[@]}" -max_batches 1 -overwrite -clear
done

# A training that is kept takes its rates along, and one that starts from weights starts from the rates beside them
a=$TMP_TEST/layer whole=$TMP_TEST/layer-whole
cp "$whole/backup/toy_final.rates" "$TMP_TEST/final.rates"
check 'a training starts from weights with rates' darknet meta train "$a/toy.data" "$a/toy.cfg" "$whole/backup/toy_final.weights" -name from -clear -max_batches 1 -valid_every 0
sed 's/^learning_rate=0.01/learning_rate=1e-30/' "$a/toy.cfg" >"$a/still.cfg"
check 'a training of next to no rate starts from them, too' darknet meta train "$a/toy.data" "$a/still.cfg" "$whole/backup/toy_final.weights" -name still -clear -max_batches 1 -valid_every 0
check 'its rates are those that it started from' same "$a/backup/still_final.rates" "$TMP_TEST/final.rates"
check 'another training of that name runs' train "$whole" -valid_every 0 -max_batches 1
check 'the rates of the one before are kept with its weights' same "$whole/backup/toy.1_final.rates" "$TMP_TEST/final.rates"
check 'the rates of its backup are, too' test -s "$whole/backup/toy.1.backup.rates"
rm "$whole"/backup/*
check 'a training of that name runs once more' train "$whole" -valid_every 0 -max_batches 12
cp "$whole/backup/toy_final.rates" "$TMP_TEST/final.rates"
# The same command can be given again after a kill: what it starts from stays, with what lies beside it
echo of-these-weights >"$whole/backup/toy_final.temperature"
killed()
{
    local job
    "$DARKNET_BIN" meta train "$whole/toy.data" "$whole/toy.cfg" "$whole/backup/toy_final.weights" -name toy -clear -max_batches 1000000 -valid_every 0 "$@" >"$whole/killed" 2>&1 &
    job=$!
    until grep -q meta-loss "$whole/killed"; do sleep .02; kill -0 $job || return; done
    kill -KILL $job
    wait $job 2>/dev/null || true
}
check 'a training of the name of the weights that it starts from is killed' killed
stay() { same "$whole/backup/toy_final.rates" "$TMP_TEST/final.rates" && grep -qx of-these-weights "$whole/backup/toy_final.temperature"; }
check 'what lies beside these weights stays there' stay
check 'and is kept with them' same "$whole/backup/toy.1_final.rates" "$TMP_TEST/final.rates"
check 'another one is begun with -overwrite, and killed' killed -overwrite
check 'what lies beside the weights stays there' stay
rm "$whole"/backup/*

# The best by the valid list, too
check 'a training that watches the valid list runs' train "$whole" -valid_every 1 -max_batches 2 -overwrite
check 'the best weights have rates' test -s "$whole/backup/toy_best.weights" -a -s "$whole/backup/toy_best.rates"
check 'they are read' quiet darknet meta test "$whole/toy.data" "$whole/toy.cfg" "$whole/backup/toy_best.weights" -runs 1
check 'and another training runs, without watching' train "$whole" -valid_every 0 -max_batches 2 -overwrite
check 'what is overwritten takes its rates along' test ! -e "$whole/backup/toy_best.rates"

# Rates that the .cfg leaves aside are told
sed 's/^rates=.*/rates=fixed/' "$whole/toy.cfg" >"$a/fixed.cfg"
aside="darknet: warning: $whole/backup/toy_final.rates: left aside, as the .cfg has no rates=layer and no rates=parameter: these weights were trained with learned rates"
for verb in "test $whole/toy.data" "calibrate $whole/toy.data" "adapt $a/few.data"; do
    case $verb in adapt*) more="-out $a/aside" ;; *) more='-runs 2' ;; esac
    quiet darknet meta $verb "$a/fixed.cfg" "$whole/backup/toy_final.weights" $more
    check "meta ${verb% *} tells of rates that it leaves aside" grep -qx "$aside" "$TMP_TEST/err"
done
quiet darknet meta test "$whole/toy.data" "$a/fixed.cfg" "$whole/backup/toy_final.weights" -runs 2 -method knn
check 'a method without inner steps says nothing of them' test ! -s "$TMP_TEST/err"

# A training whose name ends as another's weights do takes nothing from these
cp "$whole/backup/toy_final.rates" "$TMP_TEST/final.rates"
echo of-these-weights >"$whole/backup/toy_final.temperature"
own_final() { darknet meta train "$whole/toy.data" "$whole/toy.cfg" -name toy_final -max_batches 1 -valid_every 0 "$@" >"$TMP_TEST/out" 2>&1; }
check 'a training is called toy_final' own_final -overwrite
check 'and again' own_final
check 'what is beside the weights of the training toy stays' stay
rm "$whole"/backup/toy_final.temperature "$whole"/backup/toy_final.backup* "$whole"/backup/toy_final.[0-9]* "$whole"/backup/toy_final_* "$whole"/backup/toy_final.state

# Resuming with other kinds of rates
sed 's/rates=layer/rates=parameter/' "$whole/toy.cfg" >"$a/other.cfg"
expect_error '\[inner_loop\] rates .* is parameter, but was layer in the checkpoint' darknet meta train "$whole/toy.data" "$a/other.cfg" -name toy -resume -valid_every 0 -max_batches 2

# The C library
cat >"$TMP_TEST/load.py" <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
model, why = ctypes.c_void_p(), ctypes.create_string_buffer(4096)
print(lib.darknet_meta_load(ctypes.byref(model), sys.argv[2].encode(), sys.argv[3].encode(), why), why.value.decode())
END
if [ "$TEST_VARIANT" = release ]; then
    expect_output '^0' python3 "$TMP_TEST/load.py" "$DARKNET_DIR/libdarknet-meta.so" "$whole/toy.cfg" "$whole/backup/toy_final.weights"
    rm "$whole/backup/toy_final.rates"
    expect_output "^-1 .*toy_final\.rates: isn't there" python3 "$TMP_TEST/load.py" "$DARKNET_DIR/libdarknet-meta.so" "$whole/toy.cfg" "$whole/backup/toy_final.weights"
else
    skip 'the C library reads rates' 'python3 would have to load the sanitizer first'
fi

# meta grad writes the derivatives by the rates beside the gradient, and not over the rates
case=tests/oracle/layer_rates
gunzip -c $case/initial.weights.gz >"$TMP_TEST/i.weights"
cp $case/initial.rates "$TMP_TEST/i.rates"
check 'meta grad writes derivatives by the rates' quiet darknet meta grad tests/oracle/oracle.data $case/net.cfg "$TMP_TEST/i.weights" -episode $case/episode.txt -out "$TMP_TEST/g.weights"
check 'they have the form of rates' test "$(head -2 "$TMP_TEST/g.rates")" = "$(head -2 "$TMP_TEST/i.rates")"
expect_error '-out .*/i: .*/i\.rates has the rates of .*/i\.weights: must be another name' darknet meta grad tests/oracle/oracle.data $case/net.cfg "$TMP_TEST/i.weights" -episode $case/episode.txt -out "$TMP_TEST/i"
cp "$TMP_TEST/i.rates" "$TMP_TEST/kept.rates"
ln -s . "$TMP_TEST/here"
ln -s i.rates "$TMP_TEST/linked.rates"
for to in here/i ./i linked.weights; do
    expect_error "-out .*/$to: .*\.rates has the rates of .*/i\.weights: must be another name" darknet meta grad tests/oracle/oracle.data $case/net.cfg "$TMP_TEST/i.weights" -episode $case/episode.txt -out "$TMP_TEST/$to"
    check "rates under another path, $to, stay as they are" cmp "$TMP_TEST/i.rates" "$TMP_TEST/kept.rates"
    cp "$TMP_TEST/kept.rates" "$TMP_TEST/i.rates"
done
