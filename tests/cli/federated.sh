#!/bin/bash
# Sites that train together, each with images of its own: the same bytes everywhere, and nothing of a site's images leaves it.
. tests/lib.sh
. tests/toy.sh
expect_error '^darknet: -local: is for -federated gradients or -federated average$' "$DARKNET_BIN" meta train a.data a.cfg -local 3
expect_error '^darknet: -federated mean: must be gradients or average$' "$DARKNET_BIN" meta train a.data a.cfg -federated mean
expect_error '^darknet: -local: is for -federated average$' "$DARKNET_BIN" meta train a.data a.cfg -federated gradients -local 3
expect_error '^darknet: -noise: needs -clip_site' "$DARKNET_BIN" meta train a.data a.cfg -federated gradients -noise 1
expect_error '^darknet: -federated: unknown flag' "$DARKNET_BIN" meta pretrain a.data a.cfg -federated gradients
c=$TMP_TEST/c
toy "$c"
sed -i 's/^tasks=3/tasks=4/' "$c/toy.cfg"
expect_error '^darknet: -federated: there is one process: allowed: several sites' "$DARKNET_BIN" meta train "$c/toy.data" "$c/toy.cfg" -federated gradients
sed "s#^backup=.*#backup=$c/fresh#" "$c/toy.data" >"$c/fresh.data"
expect_error '^darknet: -federated: there is one process' "$DARKNET_BIN" meta train "$c/fresh.data" "$c/toy.cfg" -federated gradients
check 'what is refused leaves no folder behind' test ! -e "$c/fresh"
expect_error '^darknet: -valid_every 6: must be a multiple of -local 4' "$DARKNET_BIN" meta train "$c/toy.data" "$c/toy.cfg" -federated average -local 4 -valid_every 6
sed 's/^tasks=4/tasks=4\nsampler=curriculum/' "$c/toy.cfg" >"$c/curriculum.cfg"
expect_error 'curriculum.cfg:.*: \[episode\] sampler=curriculum: sites would have to tell' "$DARKNET_BIN" meta train "$c/toy.data" "$c/curriculum.cfg" -federated gradients
if ! command -v mpirun >/dev/null || [ ! -e "$DARKNET_DIR/libdarknet-meta-mpi.so" ]; then
    skip 'sites train together' 'Open MPI is not installed (openmpi-bin, libopenmpi-dev)'
    exit 0
fi
if [ "$TEST_VARIANT" != release ]; then
    skip 'sites train together' "Open MPI does not run under $TEST_VARIANT"
    exit 0
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers do not let a process read another's memory
if ! timeout 60 mpirun -n 2 true >/dev/null 2>&1; then
    skip 'sites train together' 'mpirun -n 2 true fails here'
    exit 0
fi
no_charts
s=$TMP_TEST/s s0=$TMP_TEST/s0 s1=$TMP_TEST/s1
# sites N: folders s0, s1... of N sites, and $TMP_TEST/sites, which lists their .data files
sites()
{
    local i
    : >"$TMP_TEST/sites"
    for ((i = 0; i < $1; i++)); do
        rm -rf "$s$i"
        toy_twin "$c" "$s$i"
        sed -i "s#$c/#$s$i/#" "$s$i"/*.list "$s$i/toy.data"
        echo "$s$i/toy.data" >>"$TMP_TEST/sites"
    done
}
out=$TMP_TEST/out flags=(-name toy -threads 1 -seed 5)
# together N FLAG...: N sites train; record holds flags of mpirun
record=()
together() { local n=$1; shift; timeout 120 mpirun -n "$n" "${record[@]}" "$DARKNET_BIN" meta train -site "$TMP_TEST/sites" "$c/toy.cfg" "${flags[@]}" "$@" >"$out" 2>&1 || { cat "$out"; return 1; }; }
final() { echo "$s$1/backup/toy_final.weights"; }
all_same() { local i; for ((i = 1; i < $1; i++)); do cmp "$(final 0)" "$(final $i)" || return; done; }

# ---- gradients ------------------------------------------------------------------------------------

sites 3
check 'one process trains on all images' train "$c" -threads 1 -seed 5 -valid_every 6 -valid_runs 7
check '3 sites with these images train a part by their gradients' together 3 -federated gradients -valid_every 6 -valid_runs 7 -max_batches 7
check 'they go on to the end' together 3 -federated gradients -valid_every 6 -valid_runs 7 -resume
check 'with the same tasks they come to the bytes of one process' cmp "$(final 2)" "$c/backup/toy_final.weights"
check 'at every site' all_same 3
each_watches() { local i; for i in 0 1 2; do [ -e "$s$i/backup/toy_best.weights" ] && [ "$(grep -c ,0. "$s$i/backup/toy.csv")" -gt 1 ] || return; done; }
check 'each site watches its own valid list' each_watches
: >"$s1/backup/toy_sent.csv"
check 'a site whose record is empty, as a full disk leaves it, goes on' together 3 -federated gradients -resume -max_batches 13 -valid_every 0
check 'and the record has its head' test "$(head -n 1 "$s1/backup/toy_sent.csv")" = iteration,kind,bytes

# ---- average --------------------------------------------------------------------------------------

sites 2
# The second site has other images, names of classes that the first never hears, and one disease less
sed -i '/c3_/d' "$s1/train.list"
sed -i 's#/images/#/other/#' "$s1"/*.list
mv "$s1/images" "$s1/other"
for ((i = 0; i < 16; i++)); do mv "$s1/other/c0_$i.pgm" "$s1/other/c0_.pgm"; mv "$s1/other/c4_$i.pgm" "$s1/other/c0_$i.pgm"; mv "$s1/other/c0_.pgm" "$s1/other/c4_$i.pgm"; done
sed -i 's#^#other/#' "$s1/labels"
printf '%s\n' secret-{a,b,c,d,e,f,g,h} >"$s1/names.txt"
echo "names=$s1/names.txt" >>"$s1/toy.data"
average=(-federated average -local 5 -valid_every 0)
recorded() { record=(-x "LD_PRELOAD=$BUILD/tests/record_mpi.so" -x "RECORD=$TMP_TEST/$1"); }
mv "$s1/test.list" "$s1/kept.list" # training does not open it
recorded average
check '2 sites of different images train by the mean of their weights' together 2 "${average[@]}" -max_batches 23
record=()
check 'both have the same weights' all_same 2
mv "$s1/kept.list" "$s1/test.list"
rare() { "$DARKNET_BIN" meta test "$s$1/toy.data" "$c/toy.cfg" "$(final $1)" -runs 5 -threads 1; }
check 'each site tests on its own rare images afterwards' rare 1
check 'there are four means in 23 iterations and one at the end' test "$(grep -c '^[0-9]*,statistics,' "$s1/backup/toy_sent.csv")" -eq 5
cp "$(final 0)" "$TMP_TEST/whole.weights"
moment() { "$DARKNET_BIN" meta train "$s$1/toy.data" "$c/toy.cfg" -name toy -seed 5 -resume >"$out" 2>&1; grep -q 'darknet: .*can.t resume: -federated was average in the checkpoint and is not set now' "$out"; }
check 'a site does not go on alone with such a training' moment 0
# killed SITE: kills a site on its way from one mean to another, where the other may have gone on, or not
killed()
{
    local pid job
    rm -f "$s0"/backup/* "$s1"/backup/*
    mpirun -n 2 "$DARKNET_BIN" meta train -site "$TMP_TEST/sites" "$c/toy.cfg" "${flags[@]}" "${average[@]}" -max_batches 100000 -backup_every 3 >"$out" 2>&1 &
    job=$!
    until [ -e "$s0/backup/toy_before.state" ] && [ -e "$s1/backup/toy_before.state" ]; do kill -0 $job || { cat "$out"; return 1; }; sleep .01; done
    sleep .0$((RANDOM % 10))
    for pid in $(pgrep -f "$TMP_TEST/sites"); do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && kill -9 "$pid"
    done
    ! wait $job
}
# A training that ended within a round met there, which one that goes on would not have
parts() { rm -f "$s0"/backup/* "$s1"/backup/*; together 2 "${average[@]}" -max_batches "$1" && together 2 "${average[@]}" -resume -max_batches 12; }
odd='^The sites met after iteration 6, where the training ended then; an unbroken one meets every 5 iterations: its weights are others$'
check 'sites go on from an end within a round' parts 6
check 'they say that an unbroken training would have met elsewhere' grep -q "$odd" "$out"
check 'sites go on from an end that is a meeting' parts 10
check 'they say nothing of it' sh -c "! grep -q '^The sites met' '$out'"
# The iterations that a site has made
made() { tail -n 1 "$s$1/backup/toy.csv" | cut -d, -f1; }
goes_on()
{
    local last=$((($(made 0) > $(made 1) ? $(made 0) : $(made 1)) + 8))
    together 2 "${average[@]}" -resume -max_batches $last && all_same 2 || return
    cp "$(final 0)" "$TMP_TEST/parts.weights"
    rm -f "$s0"/backup/* "$s1"/backup/*
    together 2 "${average[@]}" -max_batches $last && cmp "$(final 1)" "$TMP_TEST/parts.weights"
}
check 'a training of which a site is killed ends' killed 1
check 'its sites go on from the last mean that both know, to the bytes of an unbroken training' goes_on

# ---- ends ------------------------------------------------------------------------------------------

# A site is asked to end after the last iteration but one, by a reader that has gone, and all hear it in the last: the one that then does not
# watch its valid list ends as it was asked, the other has nothing to watch and is done
sed 's/^tasks=4/tasks=100/; s/^steps=2/steps=400/' "$c/toy.cfg" >"$c/slow.cfg"
asked()
{
    local job status=0
    rm -f "$s0"/backup/* "$s1"/backup/*
    sed '/^valid=/d' "$s1/toy.data" >"$s1/blind.data"
    mpirun -n 1 "$DARKNET_BIN" meta train "$s0/toy.data" "$c/slow.cfg" "${flags[@]}" -federated gradients -max_batches 2 : \
        -n 1 "$DARKNET_BIN" meta train "$s1/blind.data" "$c/slow.cfg" "${flags[@]}" -federated gradients -max_batches 2 >"$out" 2>&1 &
    job=$!
    until grep -q '^toy: ' "$out"; do sleep .01; kill -0 $job || { cat "$out"; return 1; }; done
    sleep .1
    kill -PIPE $(pgrep -f "^$DARKNET_BIN meta train $s0/toy.data")
    wait $job || status=$?
    [ $status -eq 141 ] && [ -e "$(final 1)" ] && ! grep 'has failed' "$out" "$s1/backup/toy.out" || { echo "status $status"; tail -n 5 "$out"; return 1; }
}
check 'a site that is asked to end is no failure to the others' asked

# ---- what a site sends ----------------------------------------------------------------------------

sed -i 's/^batch_normalize=1/batch_normalize=0/' "$c/toy.cfg" # rolling statistics stay at the site
noisy() { together 2 -federated "$1" -clip_site .5 -noise .1 -valid_every 0 -overwrite && all_same 2; }
check 'clipped gradients with noise meet' noisy gradients
cp "$(final 0)" "$TMP_TEST/noisy.weights"
check 'and again' noisy gradients
# 12 vectors whose change is 2 at most in units of the clip, with noise of .1: a divergence of 2400 a unit of the order
told() { grep -q "sent 0 vectors of norm 0.5 at most with noise of 0.1 times that: for any change of its images (epsilon, delta) = (0, 1e-05); at the end $2 and ($3, 1e-05)\$" "$1" && grep -q "sent $2 vectors .* = ($3, 1e-05)\$" "$1" || { grep epsilon "$1"; return 1; }; }
check 'what the noise buys is told at the start and at the end' told "$out" 12 2729
check 'with other noise' differ "$(final 0)" "$TMP_TEST/noisy.weights"
check 'clipped changes of weights with noise meet' noisy average
check 'such a site tells no results' test "$(cut -d, -f2 "$s0/backup/toy_sent.csv" | sort -u | tr '\n' ' ')" = 'change of weights end kind settings weights to start from word '

# 12 iterations, with means after 5, 10 and 12
cp "$c/toy.cfg" "$TMP_TEST/toy.cfg"
sed -i 's/^\[net\]/&\naverage=.9/' "$c/toy.cfg"
check '2 sites average their means' together 2 "${average[@]}" -overwrite
check 'what is told of the average are the means that it is of' grep -qx "The average of 3 means of the sites: $s0/backup/toy_average.weights" "$out"
cp "$TMP_TEST/toy.cfg" "$c/toy.cfg"

# Every byte that goes through MPI, and what mpirun carries to where it was started
cp -r "$c" "$TMP_TEST/plain"
sed -i '/^min_crop/d; /^max_crop/d; /^angle/d; /^exposure/d; s/^batch_normalize=0/batch_normalize=1/' "$c/toy.cfg" # images reach the network as they are
recorded gradients
check '2 sites of different images train by their gradients' together 2 -federated gradients -valid_every 6 -valid_runs 3 -overwrite
record=()
cp "$TMP_TEST/plain/toy.cfg" "$c/toy.cfg"
{ cat "$s1/names.txt" "$s1/labels" "$s1/train.list" "$s1/valid.list"; printf '%s\n' "$s1" secret-; } >"$TMP_TEST/own"
{ cat "$TMP_TEST/own"; printf '%s\n' toy.data train.list .pgm /images; } >"$TMP_TEST/words"
ours() { nm -D --undefined-only "$DARKNET_DIR/libdarknet-meta-mpi.so" | sed -n 's/.* \(MPI_[A-Z][a-z_]*\).*/\1/p' | grep -vxE 'MPI_(Abort|Allgather|Cancel|Comm_dup|Comm_rank|Comm_size|Finalize|Get_processor_name|Init_thread|Iprobe|Irecv|Isend|Recv|Request_free|Test|Testall)'; }
check 'what is recorded is all that the program can send by' test -z "$(ours)"
rows() { awk -F, 'NR > 1 { sum += $3 } END { print sum }' "$1"; }
check 'NAME_sent.csv has every byte of it' test "$(stat -c %s "$TMP_TEST/gradients.1.data")" -eq "$(rows "$s1/backup/toy_sent.csv")"
find_in() { local words=$1; shift; python3 tests/mpi/find.py "$s1/other" "$TMP_TEST/$words" "$@"; }
check 'no image, path, label or name of a site is in the bytes that it sends' find_in words "$TMP_TEST"/{average,gradients}.1.{data,control}
check 'nor in what its program prints to where mpirun runs' find_in own "$out"
# finds FILE: what rank 0 of a test program sends on purpose is recorded and found
finds()
{
    rm -f "$TMP_TEST"/leak.*
    timeout 60 mpirun -n 2 -x "LD_PRELOAD=$BUILD/tests/record_mpi.so" -x "RECORD=$TMP_TEST/leak" "$BUILD/tests/ranks" 20 send "$1" && [ -s "$TMP_TEST/leak.0.data" ] && ! find_in words "$TMP_TEST/leak.0.data"
}
tail -c 80 "$s1/other/c2_3.pgm" | head -c 33 >"$TMP_TEST/piece"
check '33 bytes of an image that is sent on purpose are found' finds "$TMP_TEST/piece"
echo "x $s1/other/c1_1.pgm: not an image" >"$TMP_TEST/piece"
check 'a message with a path that is sent on purpose is found' finds "$TMP_TEST/piece"

# ---- what is refused ------------------------------------------------------------------------------

cp "$s1/backup/toy.state" "$TMP_TEST/toy.state"
# refuses REGEX SITE-1-WORDS...: the second site has other words; one line says so, and it has no path
refuses()
{
    local line=$1
    shift
    rm -f "$s0"/backup/* "$s1"/backup/*
    ! timeout 60 mpirun -n 1 "$DARKNET_BIN" meta train "$s0/toy.data" "$c/toy.cfg" "${flags[@]}" -federated gradients : -n 1 "$DARKNET_BIN" meta train "$@" >"$out" 2>&1 &&
        [ "$(grep -c darknet: "$out")" -eq 1 ] && grep -Eq -- "darknet: $line" "$out" && ! grep -q "$s1" "$out" || { cat "$out"; return 1; }
}
check 'another way of counting sites is told' refuses '-share is equal here, but tasks on rank 0' "$s1/toy.data" "$c/toy.cfg" "${flags[@]}" -federated gradients -share equal
check 'a site that is none is told' refuses '-federated differs: gradients on rank 0 \(.*\), not set on rank 1' "$s1/toy.data" "$c/toy.cfg" "${flags[@]}"
check 'a site that starts anew where another goes on is told' refuses 'what the training starts from differs: new weights on rank 0 \(.*\), -fork on rank 1' "$s1/toy.data" "$c/toy.cfg" "${flags[@]}" -federated gradients -fork "$TMP_TEST/toy.state"
# alone SITE SEED: the site trains by itself; resumed: both go on with that as sites
alone() { rm -f "$s$1"/backup/*; "$DARKNET_BIN" meta train "$s$1/toy.data" "$c/toy.cfg" -name toy -threads 1 -seed "$2" -max_batches 4 -valid_every 0 >/dev/null; }
resumed() { ! together 2 -federated gradients -resume >/dev/null && [ "$(grep -c darknet: "$out")" -eq 1 ] && grep -q 'darknet: .*/toy.state: can.t resume: it is no checkpoint of a site' "$out" || { cat "$out"; return 1; }; }
alone 0 5
alone 1 6
check 'checkpoints of trainings that are not of sites are told' resumed
echo not an image >"$s1/other/c0_0.pgm"
check 'of a bad image at one site the others hear that it failed' refuses 'rank 1 \(.*\): failed: its own output there says why' "$s1/toy.data" "$c/toy.cfg" "${flags[@]}" -federated gradients
check 'and the site has the reason' grep -q 'darknet: .*other/c0_0.pgm' "$s1/backup/toy.out"
