#!/bin/bash
# JSON of paths that are not UTF-8, and of classes of one name: every JSON reader takes it, and nothing of it is lost.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
train "$a" -max_batches 2 -valid_every 0 || test_failed 'meta train makes the network' "$a/err"
cfg=$a/toy.cfg weights=$a/backup/toy_final.weights
quiet() { "$@" >"$a/out" 2>"$a/err"; }
meta() { "$DARKNET_BIN" meta "$@"; }

# two folders whose names differ in one byte, which is no UTF-8; every second image goes to either
folders=("$a/"$'l\344sion' "$a/"$'l\345sion')
mkdir "${folders[@]}"
i=0
while read -r file; do
    folder=${folders[i++ % 2]}
    cp "$file" "$folder"
    echo "$folder/${file##*/}"
done <"$a/test.list" >"$a/latin.list"
sed "s#^test=.*#test=$a/latin.list#" "$a/toy.data" >"$a/latin.data"
check 'meta test takes paths that are not UTF-8' quiet meta test "$a/latin.data" "$cfg" "$weights" -runs 60 -out "$a/r.json"
cat >"$a/paths.py" <<'END'
"""paths.py JSON LIST: whether the images of a JSON file are of the list, byte by byte, and of both folders."""
import json
import sys

def original(text):
    return b"".join(bytes([ord(c) & 0xff]) if 0xef80 <= ord(c) <= 0xefff else c.encode() for c in text)

root = json.load(open(sys.argv[1], encoding="utf-8"))
images = [i["image"] for i in root] if isinstance(root, list) else root["other_groups"]["image"]
images, listed = set(map(original, images)), set(open(sys.argv[2], "rb").read().split(b"\n")[:-1])
assert images <= listed and all(any(f in i for i in images) for f in (b"l\xe4sion", b"l\xe5sion")), images
END
check 'the result of meta test is UTF-8, from which the paths come back' python3 "$a/paths.py" "$a/r.json" "$a/latin.list"
check 'meta compare reads it' quiet meta compare "$a/r.json" "$a/r.json"

printf 'c6_\nc7_\n' >"$a/two.labels"
printf 'm\351lanome, "b"\n<i>\n' >"$a/two.names"
head -n 2 "$a/test.list" >"$a/few.list"
tail -n 2 "$a/test.list" >>"$a/few.list"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/two.labels" "$a/two.names" "$a/few.list" >"$a/few.data"
check 'meta adapt takes names that are not UTF-8' quiet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/k"
predict() { meta predict "$a/k.cfg" "$a/k.weights" "$a/few.data" "$@"; }
predict "$a/latin.list" -json >"$a/p.json"
check 'meta predict -json is UTF-8, from which the paths come back' python3 "$a/paths.py" "$a/p.json" "$a/latin.list"
predict "$a/latin.list" "$a/"$'none\377.pgm' -json >"$a/p.json" 2>"$a/err"
check 'a message about such a path is UTF-8 too' python3 -c 'import json, sys
assert "No such file" in json.load(open(sys.argv[1], encoding="utf-8"))[-1]["error"]' "$a/p.json"

printf 'crane\ncrane\n' >"$a/two.names"
check 'meta adapt takes two classes of one name' quiet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/k"
predict "$a/few.list" -json >"$a/p.json"
predict "$a/few.list" -csv >"$a/p.csv"
check 'two classes of one name have a probability each in -json and -csv, and the likelier one is told' python3 - "$a/p.json" "$a/p.csv" <<'END'
import csv, json, sys
images, rows = json.load(open(sys.argv[1])), list(csv.DictReader(open(sys.argv[2])))
assert len(images) == len(rows) == 4
for image, row in zip(images, rows):
    p = image["probabilities"]
    assert list(p) == ["crane (class 0)", "crane (class 1)"] and abs(sum(p.values()) - 1) < 1e-6, p
    assert image["class"] == row["class"] == max(p, key=p.get)
    assert all(abs(float(row[name]) - p[name]) < 1e-6 for name in p)
END
