#!/bin/bash
# bash completion against what the program says elsewhere: its error messages name all verbs, and all flags of a verb.
. tests/lib.sh
. tests/toy.sh
. data/darknet.bash-completion
mkdir -p "$TMP_TEST/bin" "$TMP_TEST/files/backup"
cd "$TMP_TEST/files" || exit 1
touch a.data b.cfg c.weights d.json 'e f.data' other

# completes WORDS WORD...: whether the last of them can become these words alone, separated by commas, in any order
completes()
{
    COMP_WORDS=(darknet "${@:2}") COMP_CWORD=$(($# - 1))
    _darknet "$DARKNET_BIN" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
    echo "${COMPREPLY[*]}"
    [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$(tr , '\n' <<<"$1" | sort)" ]
}
verbs=$("$DARKNET_BIN" meta 2>&1 | sed 's/.*needs a verb: //; s/;.*//')
check "verbs: $verbs" completes "${verbs// /,}" meta ''
check 'the beginning of a verb' completes train meta tr
check 'meta' completes meta m
check 'nothing of the stock commands' completes '' classifier ''
[ "$TEST_VARIANT" = release ] || verbs='train help'
for verb in $(grep -oE 'train|test|doctor|help' <<<"$verbs"); do      # all are asked in the same way
    flags=$("$DARKNET_BIN" meta $verb -no-such-flag 2>&1 | sed 's/.*allowed: //')
    check "flags of $verb: $flags" completes "${flags// /,}" meta $verb -
done
check 'a word that is one of a few' completes test,train,valid meta test x.data y.cfg -list ''
check 'a backend' completes onednn meta train -backend o
check 'of grad too' completes onednn,reference meta grad -backend ''
check 'whose statistics' completes batch,running,support meta test x.data y.cfg z.weights -bn ''
check 'of adapt' completes running,support meta adapt -bn ''
check 'a rate is not guessed' completes '' meta test -rate ''
check 'a number is not guessed' completes '' meta train -seed ''
check 'files of the kind that stands there: .data' completes 'a.data,backup,e f.data' meta train ''
check '.cfg' completes b.cfg,backup meta train a.data ''
check '.cfg after a flag and its value' completes b.cfg,backup meta train -seed 3 -resume a.data ''
check '.weights' completes backup,c.weights meta test a.data b.cfg ''
check 'no more than the usage has' completes '' meta test a.data b.cfg c.weights ''
check '.json' completes backup,d.json meta compare d.json ''
check 'a flag that names a file' completes backup,d.json meta test -out ''
check 'sections' completes meta_loss meta help meta_
check 'sections, again' completes episode meta help net epi
