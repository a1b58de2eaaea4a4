#!/bin/bash
# meta train -log and meta pretrain -log: the rows of NAME.csv as lines of JSON
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a b=$TMP_TEST/b
toy "$a"
toy_twin "$a" "$b"

# same_rows FOLDER ROWS: whether toy.jsonl has so many lines, which say what the rows of toy.csv do, digit by digit
same_rows()
{
    python3 - "$1/backup/toy" "$2" <<'END'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1] + ".csv")))
lines = [json.loads(line, parse_float=str, parse_int=str) for line in open(sys.argv[1] + ".jsonl")]
lines = [{key: "" if value is None else value for key, value in line.items()} for line in lines]
assert len(rows) == int(sys.argv[2]) and rows == lines, (len(rows), len(lines), [pair for pair in zip(rows, lines) if pair[0] != pair[1]][:1])
END
}
# without_times FOLDER: the lines but for what an iteration took
without_times() { sed -E 's/"(seconds|waited)":[0-9.]+,//g' "$1/backup/toy.jsonl"; }

check 'meta train -log trains' train "$a" -seed 3 -valid_every 5 -valid_runs 4 -log
check 'the lines of JSON are the rows of the CSV, digit by digit' same_rows "$a" 12
check 'a figure that was not taken is null' test "$(grep -c '"valid_auc":null' "$a/backup/toy.jsonl")" -eq 9

check 'meta train -log trains to its seventh iteration' train "$b" -seed 3 -valid_every 5 -valid_runs 4 -log -max_batches 7
printf '{"iteration":8,"meta_' >>"$b/backup/toy.jsonl"
check '-resume trains on' train "$b" -seed 3 -valid_every 5 -valid_runs 4 -resume
check '-resume goes on with the lines that are there, and mends one cut short' same_rows "$b" 12
check 'a resumed training has the lines of an unbroken one, but for the times' test "$(without_times "$a" | sed 7d)" = "$(without_times "$b" | sed 7d)"
head -n 3 "$a/backup/toy.jsonl" >"$TMP_TEST/three"
rm "$b/backup/toy.jsonl"
check '-resume -log makes the lines of a training that had none' train "$b" -seed 3 -valid_every 5 -valid_runs 4 -resume -log
check 'lines made afterwards are the rows of the CSV' same_rows "$b" 12

check 'a second training of the name trains without -log' train "$a" -seed 4 -valid_every 0 -max_batches 2
check 'the lines of the first are kept with it' test "$(head -n 3 "$a/backup/toy.1.jsonl")" = "$(cat "$TMP_TEST/three")"
check 'a training without -log has no lines' test ! -e "$a/backup/toy.jsonl"
echo '{"other":1}' >"$a/backup/toy.jsonl"
expect_error "toy.jsonl:1: is not a line of a training's log: move the file away, or give the training another -name" \
    "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -max_batches 2 -valid_every 0 -log
check 'a file that is not a log of lines is left as it is' grep -qx '{"other":1}' "$a/backup/toy.jsonl"

toy "$TMP_TEST/p"
toy_supervised "$TMP_TEST/p"
check 'meta pretrain -log trains' pretrain "$TMP_TEST/p" -seed 3 -valid_every 5 -log
check 'the lines of pretrain are the rows of its CSV' same_rows "$TMP_TEST/p" 12
