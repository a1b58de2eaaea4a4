#!/bin/bash
# meta features: a layer's output for images as NumPy's .npy, with names; whole or not at all
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
check 'a toy trains' train "$a" -seed 3 -valid_every 0
cd "$a" || exit 1
w=backup/toy_final.weights
features() { "$DARKNET_BIN" meta features toy.cfg $w "$@"; }

# shape FILE ROWS COLUMNS: whether FILE is .npy 1.0 of float32 in C order of that shape, by its format's description
shape()
{
    python3 - "$@" <<'END'
import ast, os, struct, sys
data = open(sys.argv[1], "rb").read()
rows, columns = int(sys.argv[2]), int(sys.argv[3])
assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
size = struct.unpack("<H", data[8:10])[0] + 10
head = data[10:size].decode()
assert size % 64 == 0 and head.endswith("\n")
assert ast.literal_eval(head.strip()) == {"descr": "<f4", "fortran_order": False, "shape": (rows, columns)}, head
assert len(data) == size + 4 * rows * columns
END
}

expect_output '^f.npy: 64 images, 144 numbers each: layer 2, \[dropout\], of toy.cfg, 6x6x4, running statistics$' features toy.data -list train -out f.npy
check 'the .npy has an array of its list' shape f.npy 64 144
check 'the .csv has the paths and classes of the list, in its order' sh -c "head -n 1 f.csv | grep -qx image,class && tail -n +2 f.csv | cut -d, -f1 | cmp - train.list && ! tail -n +2 f.csv | awk -F'[/_,]' '\$(NF-3) != \$(NF-1)' | grep ."
check 'features of a folder' features images -out all.npy -threads 3
check 'a folder is all its images' shape all.npy 128 144
sort train.list test.list valid.list >all.list
check 'features of a list' features all.list -out list.npy -threads 1
check 'a list of no .data file has no classes' test "$(head -n 1 list.csv)" = image -a "$(wc -l <list.csv)" -eq 129
check 'one thread and three write the same bytes' sh -c "'$DARKNET_BIN' meta features toy.cfg $w all.list -out three.npy -threads 3 && cmp three.npy list.npy"

# The last layer before [softmax] gives the logits, of which meta predict prints the log-odds
check 'features of the last layer' features test.list -layer 3 -out logits.npy
printf 'classes=2\nlabels=two.labels\n' >two.data
printf 'a_\nb_\n' >two.labels
check 'meta predict -raw prints log-odds' sh -c "'$DARKNET_BIN' meta predict toy.cfg $w two.data test.list -raw -csv -log_odds >odds.csv"
check 'the last layer has the logits whose differences are the log-odds' python3 - <<'END'
import array, csv
data = open("logits.npy", "rb").read()
numbers = array.array("f", data[-4 * 64:])
rows = list(csv.reader(open("odds.csv")))[1:]
assert len(rows) == 32
assert max(abs(numbers[2 * i] - numbers[2 * i + 1] - float(row[4])) for i, row in enumerate(rows)) < 1e-4
END

check 'features by the statistics of the batch' features test.list -layer 0 -bn batch -batch 12 -out batch.npy
check 'the batch is of -batch images, the last of what is left' shape batch.npy 32 576
head -n 12 test.list >twelve.list
check 'features of the first batch alone' features twelve.list -layer 0 -bn batch -out twelve.npy
check 'images of one batch depend on each other, and on no other' sh -c "tail -c \$((4*12*576)) twelve.npy >x && tail -c \$((4*32*576)) batch.npy | head -c \$((4*12*576)) | cmp - x"
check 'features of the first 12 by the running statistics' features twelve.list -layer 0 -out running.npy
check 'the statistics make a difference' differ running.npy twelve.npy

# 16-bit files of a .data file's list are judged together, as other verbs do; images of none one by one
mkdir deep
deep() { python3 -c "import sys; sys.stdout.buffer.write(b'P5 12 12 65535\n' + bytes(v for k in range(144) for v in ((k * $2 + 9) % $1, k)))"; }
for k in 0 1 2; do deep 256 $((2 * k + 5)) >deep/c6_$k.pgm; done
deep 16 3 >deep/c7_dark.pgm
ls deep/*.pgm >deep.list
printf 'classes=2\nlabels=deep.labels\ntest=deep.list\n' >deep.data
printf 'c6_\nc7_\n' >deep.labels
expect_output '^deep.list: 4 16-bit files, largest value [0-9]+, white is 65535; 1 of them is dark, [0-9]+ at most$' features deep.data -out deep.npy
{ cat deep.data; echo range=65535; } >bright.data
check 'one dark file of a list is read as the others, whatever is said' sh -c "'$DARKNET_BIN' meta features toy.cfg $w bright.data -out bright.npy && cmp deep.npy bright.npy && cmp deep.csv bright.csv"
deep 16 7 >deep/c7_more.pgm; deep 16 11 >deep/c7_most.pgm
ls deep/*.pgm >deep.list
expect_output '^deep.list: 6 16-bit files, largest value' features deep.data -out half.npy
deep 16 13 >deep/c7_all.pgm
ls deep/*.pgm >deep.list
expect_error '^darknet: deep.list: the largest value of 4 of its 7 16-bit files is [0-9]+: deep.data needs range=4095 if that is their white, or range=65535 if they are as dark as that$' features deep.data -out dark.npy
check 'a list that is refused leaves no files' sh -c '! ls | grep ^dark'
expect_error '^darknet: deep/c7_dark.pgm: the largest of its 16-bit values is [0-9]+: a .data file needs range=4095' features deep/c7_dark.pgm -out dark.npy

# Files that are there
check 'features are written over those of an earlier call' features test.list -out list.npy
cp list.npy theirs.npy
printf 'image,class,patient\na.png,six,1\n' >theirs.csv
printf 'image,class\na.png,six\n' >alone.csv
cp theirs.csv theirs.kept
expect_error '^darknet: -out theirs.csv: is there and is not of meta features: must be another name$' features test.list -out theirs.npy
check 'a CSV of something else is left as it is' cmp theirs.csv theirs.kept
expect_error '^darknet: -out alone.csv: is there and is not of meta features: must be another name$' features test.list -out alone.npy
rm theirs.csv
expect_error '^darknet: -out theirs.npy: is there and is not of meta features: must be another name$' features test.list -out theirs.npy

# Whole or not at all
cp f.npy kept.npy
cp f.csv kept.csv
head -c 100 images/c0_0.pgm >cut.pgm
(cat train.list; echo cut.pgm) >bad.list
expect_error 'cut.pgm: ' features bad.list -out f.npy
check 'an image that can not be read leaves both files as they were' sh -c 'cmp f.npy kept.npy && cmp f.csv kept.csv && ! ls | grep tmp'
expect_error 'cut.pgm: ' features bad.list -out new.npy
check 'and writes none that was not there' sh -c '! ls | grep new'
expect_error '^darknet: -out: must be the name of the file to write, which ends in .npy$' features train.list
expect_error '^darknet: -out f.txt: must be the name of the file to write, which ends in .npy$' features train.list -out f.txt
expect_error '^darknet: none/f.npy: can.t write there: No such file or directory$' features train.list -out none/f.npy
expect_error '^darknet: -layer 4: must be 0 to 3, the layers before \[softmax\]$' features train.list -layer 4 -out f.npy
expect_error '^darknet: -bn support: there are no support images: must be running or batch$' features train.list -bn support -out f.npy
expect_error '^darknet: -batch 8: must be with -bn batch$' features train.list -batch 8 -out f.npy
expect_error '^darknet: -list none: must be test, valid or train$' features toy.data -list none -out f.npy
expect_error '^darknet: -list test: must be with a .data file, and nothing beside it$' features train.list -list test -out f.npy
grep -v valid toy.data >no.data
expect_error '^darknet: no.data: has no valid=: -list names another$' features no.data -list valid -out f.npy
expect_error '^darknet: none.list: No such file or directory$' features none.list -out f.npy
