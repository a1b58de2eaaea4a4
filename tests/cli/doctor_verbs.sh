#!/bin/bash
# meta doctor pretrain, adapt and predict: what each looks at, and what it finds.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 20 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to adapt' err
doctor() { "$DARKNET_BIN" meta doctor "$@" >out 2>&1; }
said() { check "it says: $1" grep -Eq -- "$1" out || sed 's/^/    | /' out; }
# finds STATUS WHAT WORD...: the doctor's exit status, and a line of it
finds() { local status=$1 what=$2; shift 2; doctor "$@"; check "meta doctor $* exits with $status" test $? -eq "$status"; said "$what"; }
mkdir -p f/six f/seven
cp images/c6_[012].pgm f/six; cp images/c7_[012].pgm f/seven
weights=backup/toy_final.weights

finds 0 '^0 wrong, .*: darknet meta adapt can begin$' adapt f toy.cfg $weights
said '^ok +weights +backup/toy_final.weights: 334 parameters'
said '^ok +train +f: 6 images, all decoded'
said '^ok +classes +train: 2 classes of 3 to 3 images$'
said '^ok +alike +6 of 6 images, smaller than 64x64, were not compared$'
check 'it does not say that no two are alike' bash -c '! grep -q "no two images" out'
said '^ok +images +6 images, all read, like those'
check 'it looks at nothing that adapt has no use for' bash -c '! grep -qE "^[a-z]+ +(gnuplot|valid|test|backup|memory|time) " out'
rm f/six/c6_[12].pgm; echo x >f/six/x.txt; cp f/seven/c7_0.pgm f/seven/copy.pgm
finds 0 '^warning +classes +f: has one image of six: leave-one-out' adapt f toy.cfg $weights
said '^warning +data +f: 1 file, such as f/six/x.txt, not read: no image by the name$'
said '^warning +train +1 of 5 images are the same, byte for byte, as another, such as f/seven/c7_0.pgm and f/seven/copy.pgm: they count twice'
cp f/seven/copy.pgm f/six/
finds 1 '^wrong +train +f/six/copy.pgm: is the same image as f/seven/c7_0.pgm, which is of class seven' adapt f toy.cfg $weights
rm f/*/copy.pgm; mkdir f/eight; head -c 100 images/c5_0.pgm >f/eight/cut.pgm
finds 1 '^wrong +classes +f: 3 classes: must be 2, which toy.cfg tells apart' adapt f toy.cfg $weights
said '^wrong +train +f/eight/cut.pgm: '
rm -r f/eight; cp images/c6_1.pgm f/six/
head -c 200 $weights >cut.weights
finds 1 '^wrong +weights +cut.weights: ' adapt f toy.cfg cut.weights

cp $weights t.weights; "$DARKNET_BIN" meta calibrate toy.data toy.cfg $weights -shots 2 -runs 4 >out 2>&1; mv backup/toy_final.temperature t.temperature
finds 0 '^ok +weights +t.weights' adapt f toy.cfg t.weights
head -c -4 $weights >t.weights; printf '\0\0\0\0' >>t.weights
finds 1 '^wrong +weights +t.temperature: is of other weights' adapt f toy.cfg t.weights
# 16-bit files, one of them dark
mkdir -p h/six h/seven
grey() { printf 'P5 12 12 65535\n'; python3 -c "import sys; sys.stdout.buffer.write(bytes(k * $1 % 256 for k in range(144) for _ in 'xy'))"; }
for k in 1 2 3; do grey $k >h/six/$k.pgm; grey $((k + 5)) >h/seven/$k.pgm; done
python3 -c "open('h/six/1.pgm', 'wb').write(b'P5 12 12 65535\n' + bytes([20, 7] * 144))"
finds 0 '^ok +train +h: 6 images' adapt h toy.cfg $weights
check 'meta adapt takes them, too' "$DARKNET_BIN" meta adapt h toy.cfg $weights -out dark
check 'and the dark one alone is predicted' "$DARKNET_BIN" meta predict dark.cfg dark.weights dark.data h/six/1.pgm
# Groups that folders, or a CSV with a column for them, say
mkdir -p g/six/left g/six/right g/seven/left
cp images/c6_[012].pgm g/six/left; cp images/c6_[345].pgm g/six/right; cp images/c7_[012].pgm g/seven/left
finds 0 '^ok +alike +written: merged.csv: give it to -groups for g$' adapt g toy.cfg $weights -groups folders -merge merged.csv
check '-merge has the names of the folders' test "$(cut -d, -f2 merged.csv | sort | uniq -c | tr -s ' \n' ' ')" = ' 1 group 6 left 3 right '
{ echo image,class,group; tail -n +2 merged.csv | sed -E 's#^g/(six|seven)(.*),(.*)#g/\1\2,\1,of \3#'; } >g.csv
finds 0 '^ok +alike +written: again.csv: give it to -groups for g.csv, and leave out its own column group$' adapt g.csv toy.cfg $weights -merge again.csv
cut -d, -f1,2 g.csv >without.csv
check 'what is written for a CSV with groups can be given as it says' "$DARKNET_BIN" meta adapt without.csv toy.cfg $weights -groups again.csv -out again
check '-merge has the names of the CSV' test "$(cut -d, -f2 again.csv | sort | uniq -c | tr -s ' \n' ' ')" = ' 1 group 6 of left 3 of right '
finds 0 '^ok +groups +train: 9 images in 2 groups' adapt g toy.cfg $weights -groups again.csv

check 'meta adapt makes a classifier' "$DARKNET_BIN" meta adapt f toy.cfg $weights -out k
finds 0 '^0 wrong, 0 warnings: darknet meta predict can begin$' predict k.cfg k.weights k.data images
said '^ok +images +128 images, all read, like those that k.weights knows$'
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero; } >black.pgm
finds 0 '^warning +images +1 of 1 images is unlike those that k.weights knows, such as black.pgm' predict k.cfg k.weights k.data black.pgm
finds 1 '^wrong +images +none.pgm: No such file' predict k.cfg k.weights k.data none.pgm
finds 1 '^wrong +classes +toy.data: classes=8: must be 2' predict k.cfg k.weights toy.data black.pgm
finds 1 '^wrong +cfg +.*`meta adapt` makes a classifier of it' predict toy.cfg $weights k.data black.pgm

sed '/^\[episode\]/,/^$/d; /^\[inner_loop\]/,$d; s/^output=2/output=4/; s/^\[net\]/[net]\nbatch=16/' toy.cfg >plain.cfg
finds 0 '^0 wrong, .*: darknet meta pretrain can begin$' pretrain toy.data plain.cfg
said '^ok +cfg +plain.cfg: .* 4 classes, 12 iterations of 16 images$'
sed 's/^output=4/output=2/' plain.cfg >two.cfg
finds 1 '^wrong +classes +.*train.list: has images of 4 classes, but two.cfg has 2 outputs' pretrain toy.data two.cfg
finds 0 '^0 wrong, .*: darknet meta train can begin$' train toy.data toy.cfg -seconds 0.01

# The first layers of a network, as `darknet partial` writes them: a training takes them, all else needs whole weights.
{ printf '\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'; tail -c +21 $weights | head -c 208; } >toy.conv.1
layers='has the weights of 1 layer, up to layer 0, \[convolutional\]; those of 1 layer, from layer 3, \[connected\], on are drawn'
finds 0 "^ok +weights +toy.conv.1: $layers\$" train toy.data toy.cfg toy.conv.1 -seconds .01
finds 0 "^ok +weights +toy.conv.1: $layers\$" pretrain toy.data plain.cfg toy.conv.1
head -c 224 toy.conv.1 >cut.conv
finds 1 '^wrong +weights +cut.conv: .* nor does it end behind one of its layers$' train toy.data toy.cfg cut.conv -seconds .01
finds 1 '^wrong +weights +toy.conv.1: 228 bytes: does not fit this network, whose .weights file has [0-9]* bytes$' adapt f toy.cfg toy.conv.1
check 'images are not held against weights that could not be read' bash -c '! grep -q "^[a-z]* *images" out'

# A training goes on from the iteration that the images say that the weights have seen: 20 iterations of 30 images
finds 1 '^wrong +weights +backup/toy_final.weights: is at iteration 20 of 12, by the images it has seen, and nothing is left to train: give -clear, or a larger max_batches$' train toy.data toy.cfg $weights -seconds .01
expect_error 'iteration 20 of 12: nothing is left to train' "$DARKNET_BIN" meta train toy.data toy.cfg $weights -name none
finds 0 '^ok +weights +backup/toy_final.weights: 334 parameters, as toy.cfg has$' train toy.data toy.cfg $weights -seconds .01 -clear
sed 's/^max_batches=.*/max_batches=21/' toy.cfg >longer.cfg
finds 0 '^ok +weights +.*, as longer.cfg has; at iteration 20 of 21, by the images it has seen: with -clear at 0$' train toy.data longer.cfg $weights -seconds .01
head -c 228 $weights >seen.conv.1
sed 's/^max_batches=.*/max_batches=38/' plain.cfg >longer.cfg
finds 0 '^ok +weights +seen.conv.1: has .* are drawn; at iteration 37 of 38, ' pretrain toy.data longer.cfg seen.conv.1
finds 1 '^wrong +weights +seen.conv.1: is at iteration 37 of 12, ' pretrain toy.data plain.cfg seen.conv.1
expect_error 'clear: has no use for doctor adapt' "$DARKNET_BIN" meta doctor adapt f toy.cfg $weights -clear
# Learned rates, where they lie beside the weights
sed 's/^order=2/&\nrates=layer/' toy.cfg >rates.cfg
finds 0 '^ok +weights +toy.conv.1: has ' train toy.data rates.cfg toy.conv.1 -seconds .01
printf '%s\n' 'darknet meta rates 1' 'rates=layer steps=5 layers=0:44,3:290' .1 end >toy.conv.1.rates
finds 1 '^wrong +weights +toy.conv.1.rates:2: .*: must be .rates=layer steps=2 layers=0:44,3:290., of the .cfg.s network$' train toy.data rates.cfg toy.conv.1 -seconds .01
expect_error 'toy.conv.1.rates:2: ' "$DARKNET_BIN" meta train toy.data rates.cfg toy.conv.1 -name none

expect_error 'seconds: has no use for doctor adapt' "$DARKNET_BIN" meta doctor adapt f toy.cfg $weights -seconds 1
expect_error 'groups: has no use for doctor train' "$DARKNET_BIN" meta doctor toy.data toy.cfg -groups folders
expect_error 'usage: darknet meta doctor' "$DARKNET_BIN" meta doctor predict k.cfg k.weights k.data
