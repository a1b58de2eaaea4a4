#!/bin/bash
# meta doctor prints a line for each check, with what is wrong and how to mend it, and exits with 1
# where something is wrong.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
for i in train valid test; do sed 's#.*/\(c[0-7]\)_\(.*\)\.pgm#\1_\2,\1g\2#' "$a/$i.list"; done >"$a/groups.csv"
echo "groups=$a/groups.csv" >>"$a/toy.data"
out=$TMP_TEST/out
doctor() { ${under[@]+"${under[@]}"} "$DARKNET_BIN" meta doctor "${1:-$a/toy.data}" "${2:-$a/toy.cfg}" -threads 2 -seconds .01 >"$out" 2>&1; }
# said WHAT: checks that the last doctor has printed a line that matches WHAT
said() { check "meta doctor says: $1" grep -Eq -- "$1" "$out" || sed 's/^/    | /' "$out"; }
# wrong WHAT DATA [CFG]: checks for exit status 1 and a line "wrong WHAT"; warns: for exit status 0
# and a line "warning WHAT"
wrong() { finds 1 "wrong +$1" "${@:2}"; }
warns() { finds 0 "warning +$1" "${@:2}"; }
finds() { doctor "${@:3}"; check "meta doctor exits with $1 at: $2" test $? -eq "$1"; said "^$2"; }
# data SED: writes ill.data, which is toy.data changed by SED
data() { sed "$1" "$a/toy.data" >"$a/ill.data"; }
# cfg SED: writes ill.cfg, which is toy.cfg changed by SED
cfg() { sed "$1" "$a/toy.cfg" >"$a/ill.cfg"; }

check 'meta doctor exits with 0 where a run can begin' doctor
said '^0 wrong, 0 warnings: darknet meta train can begin$'
said '^ok +libdarknet .*libdarknet\.so: struct layer of [0-9]+ bytes'
said '^ok +darknet +/.*: the stock program'
said '^ok +plugins +[0-9]+ in .*: .*\[episode\] .*\[inner_loop\]'
said '^ok +gnuplot '
said '^ok +cfg +.*toy\.cfg: 334 parameters, 12x12x1, 12 iterations of 3 tasks: 2 ways, 2 \+ 3 images a class'
said '^ok +train +.*train\.list: 64 images, all decoded'
said '^ok +classes +valid: c4_ 16, c5_ 16: enough for 2 \+ 3$'
said '^ok +groups +test: 32 images in 32 groups'
said '^ok +lists +train and test share nothing'
said '^ok +backup +.*: [0-9.]+ GB free, a run writes [0-9]+ MB$'
said '^ok +memory +[0-9.]+ GB expected \(images 0\.00, 2 threads [0-9.]+\), [0-9.]+ GB available$'
said '^ok +time +[0-9.]+ (s|min|h) expected on 2 threads, .* by the fastest and slowest fifth'
check 'every line of meta doctor is a verdict' test "$(head -n -2 "$out" | grep -vcE '^(ok|warning|wrong)  +[a-z]+  *.')" -eq 0
check 'meta doctor writes nothing to the backup folder' test -z "$(ls "$a/backup")"

# The program and what is around it
mkdir "$TMP_TEST/empty" "$TMP_TEST/plugins"
under=(env "PATH=$TMP_TEST/empty" DARKNET_STOCK=/nowhere)
warns 'gnuplot +.*install the package gnuplot-nox$'
said '^warning +darknet +DARKNET_STOCK=/nowhere: must be .*; meta.s own commands do without'
echo 'not one' >"$TMP_TEST/plugins/x.so"
under=(env "DARKNET_PLUGIN_PATH=$TMP_TEST/plugins")
wrong 'plugins +.*x\.so: can.t load the plugin: .*: mend or remove'
said '^[0-9]+ wrong, .*mend the files first'
under=()

# The two files
cfg 's/^shots=2/shots=0/'
wrong "cfg +$a/ill\.cfg:[0-9]+: \[episode\] shots=0: must be" "$a/none.data" "$a/ill.cfg"
said '^wrong +data +.*none\.data: No such file'
data '/^valid/d; /^test/d'
cfg 's/^start=7/start=70/; s/^order=2/order=2\nsecond_order_start=13/; s/^steps=6,9/steps=6,13/'
warns 'data +.*ill\.data: has no valid=' "$a/ill.data" "$a/ill.cfg"
said '^warning +cfg +[^ ]*ill\.cfg: \[meta_loss\] start=70 is past max_batches=12: .*lower start'
said '^warning +cfg +[^ ]*ill\.cfg: \[inner_loop\] second_order_start=13 is past max_batches=12'
said '^warning +cfg +[^ ]*ill\.cfg: \[net\] steps=13 is past max_batches=12'
data /^train/d
wrong 'data +.*ill\.data: has no train=' "$a/ill.data"

# Lists: all faults of a list are found, not the first alone.
printf 'P5 12 12 255\n' >"$a/images/c2_cut.pgm"
{ cat "$a/train.list"; printf '%s\n' "$a/images/c2_cut.pgm" "$a/images/c0_none.pgm" "$a/images/unknown.pgm"; head -1 "$a/train.list"
  seq 1 9 | sed "s#.*#$a/images/c0_none&.pgm#"; } >"$a/ill.list"
data "s#^train=.*#train=$a/ill.list#"
wrong "train +$a/ill\.list: 13 of 77 lines can.t be used: mend or remove them" "$a/ill.data"
for line in '65: .*c2_cut\.pgm: ' '66: .*c0_none\.pgm: No such file' '67: .*unknown\.pgm: has no label' '68: .*is on line 1 already'; do
    said "^wrong +train +$a/ill\.list:$line"
done
said "^wrong +train +$a/ill\.list: 8 lines more"
check 'meta doctor names the first five bad lines of a list one by one' test "$(grep -c "ill.list:[0-9]*: " "$out")" -eq 5
sed '1~16!{/c2_/d}' "$a/train.list" >"$a/ill.list"
tail -2 "$a/valid.list" >>"$a/ill.list"
wrong 'classes +.*class c[25]_ has [12] images?: shots=2 and queries=3 need at least 5: add images' "$a/ill.data"
said '^wrong +lists +2 images of valid are the same as one of train, such as .*valid\.list:31: .*/c5_1[0-9]\.pgm and .*ill\.list:'
for k in 0 1 2 3 4 5; do { head -c -1 "$a/images/c6_0.pgm"; printf %d $k; } >"$a/images/c6_9$k.pgm"; done
{ cat "$a/train.list"; ls "$a"/images/c6_9?.pgm; } >"$a/ill.list"
sed 's/^c4_0,.*/c4_0,c0g0/' "$a/groups.csv" >"$a/ill.csv"
data "s#^train=.*#train=$a/ill.list#; s#^groups=.*#groups=$a/ill.csv#"
warns 'lists +1 class of test, c6_ one of them, is in train too' "$a/ill.data"
said '^warning +groups +train: .*ill\.csv does not name 6 of 70 images'
said '^warning +lists +1 group has images in train and in valid'

# Where a run writes
data "s#^backup=.*#backup=$a/new/folder#"
cfg 's/^width=12/width=24/; s/^height=12/height=24/; s/_crop=.*/_crop=24/'
warns 'train +64 of 64 images are smaller than 24x24' "$a/ill.data" "$a/ill.cfg"
said '^ok +backup +.*/new/folder \(to be made\)'
check 'meta doctor does not make the backup folder' test ! -e "$a/new"
data "s#^backup=.*#backup=$a/toy.cfg#"
wrong 'backup +.*is not a folder' "$a/ill.data"
train "$a" -max_batches 3
exec 9>"$a/backup/toy.lock"
flock -n 9
wrong 'backup +.*toy\.lock: another training of this name is running' "$a/toy.data"
said '^warning +backup +.*toy\.state: is at iteration 3: -resume goes on from it, a run without keeps it under a name with a number$'
cfg '/^max_batches/d'
wrong 'cfg +\[net\] max_batches: is 0 or not there: meta train begins only with -max_batches: write it' "$a/toy.data" "$a/ill.cfg"
check 'meta doctor prints no time where max_batches is missing' test "$(grep -c nan "$out")" -eq 0
exec 9>&-
rm "$a/backup/toy.lock"
if unshare -rm mount -t tmpfs tmpfs "$a/backup" 2>/dev/null; then
    under=(unshare -rm sh -c "mount -t tmpfs -o size=64k tmpfs '$a/backup'; exec \"\$@\"" -)
    wrong 'backup +.*: 0 MB free of the 1 MB that a run writes: make room' "$a/toy.data"
    under=()
else skip 'meta doctor on a disk that is too small' 'no namespace of our own to mount a small tmpfs in (unshare -rm)'; fi

# Memory is limited in the release variant alone: the sanitisers map memory by the terabyte.
if [ "$TEST_VARIANT" = release ]; then
    cfg 's/^width=12/width=120/; s/^height=12/height=120/; s/_crop=.*/_crop=120/; s/^filters=4/filters=64/; s/^shots=2/shots=5/'
    under=(bash -c 'ulimit -v 900000; exec "$@"' -)
    wrong 'memory +.*0\.[0-9]+ GB (are )?available.*fewer -threads, keep=1 or order=1' "$a/toy.data" "$a/ill.cfg"
    under=()
else skip 'meta doctor with too little memory' "$TEST_VARIANT maps too much of it"; fi

expect_error '^darknet: -seconds 0: must be' "$DARKNET_BIN" meta doctor "$a/toy.data" "$a/toy.cfg" -seconds 0
expect_error '^darknet: usage: darknet meta doctor \[train\|pretrain\|adapt\] DATA CFG \[WEIGHTS\] \| doctor predict CFG WEIGHTS DATA IMAGE\.\.\. \[flags\]; -h explains them$' "$DARKNET_BIN" meta doctor "$a/toy.data"
