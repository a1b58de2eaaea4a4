#!/bin/bash
# bash completion against what the program says elsewhere: its error messages name all verbs, and all flags of a verb.
. tests/lib.sh
. tests/toy.sh
. data/darknet.bash-completion
mkdir -p "$TMP_TEST/bin" "$TMP_TEST/files/backup"
cd "$TMP_TEST/files" || exit 1
touch a.data b.cfg c.weights d.json 'e f.data' other

# completes WORDS WORD...: whether the last WORD is completed to WORDS and no others; WORDS are
# separated by commas, in any order
completes()
{
    COMP_WORDS=(darknet "${@:2}") COMP_CWORD=$(($# - 1))
    _darknet "$DARKNET_BIN" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
    echo "${COMPREPLY[*]}"
    [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$(tr , '\n' <<<"$1" | sort)" ]
}
verbs=$("$DARKNET_BIN" meta 2>&1 | sed 's/.*needs a verb: //; s/;.*//')
check "meta is completed to its verbs: $verbs" completes "${verbs// /,}" meta ''
check 'the beginning of a verb is completed' completes train meta tr
check 'the beginning of meta is completed' completes meta m
check 'nothing is offered for a stock command' completes '' classifier ''
[ "$TEST_VARIANT" = release ] || verbs='train help'
for verb in $(grep -oE 'train|test|doctor|help' <<<"$verbs"); do      # all are asked in the same way
    flags=$("$DARKNET_BIN" meta $verb -no-such-flag 2>&1 | sed 's/.*allowed: //')
    check "meta $verb is completed to its flags: $flags" completes "${flags// /,}" meta $verb -
done
check 'test -list is completed to test, train and valid' completes test,train,valid meta test x.data y.cfg -list ''
check 'the beginning of a backend is completed for train' completes onednn meta train -backend o
check 'grad -backend is completed to onednn and reference' completes onednn,reference meta grad -backend ''
check 'test -bn is completed to batch, running and support' completes batch,running,support meta test x.data y.cfg z.weights -bn ''
check 'adapt -bn is completed to running and support' completes running,support meta adapt -bn ''
check 'nothing is offered for the number of test -rate' completes '' meta test -rate ''
check 'nothing is offered for the number of train -seed' completes '' meta train -seed ''
check 'the first word of train is completed to .data files' completes 'a.data,backup,e f.data' meta train ''
check 'the second word of train is completed to .cfg files' completes b.cfg,backup meta train a.data ''
check 'the second word of train is completed after a flag and its value' completes b.cfg,backup meta train -seed 3 -resume a.data ''
check 'the third word of test is completed to .weights files' completes backup,c.weights meta test a.data b.cfg ''
check 'nothing is offered beyond the last word of the usage' completes '' meta test a.data b.cfg c.weights ''
check 'the second word of compare is completed to .json files' completes backup,d.json meta compare d.json ''
check 'test -out is completed to .json files' completes backup,d.json meta test -out ''
check 'help is completed to sections' completes meta_loss meta help meta_
check 'a later word of help is completed to sections' completes episode meta help net epi
