# A data set and a network so small that training takes milliseconds. Sourced after lib.sh.

# toy FOLDER: makes FOLDER/{toy.data,toy.cfg,train.list,valid.list,test.list,images/}, with
# backup=FOLDER/backup. The images are 12x12, gray and of eight classes: bars of one direction and
# width each, in noise. Four classes are to train on, two to watch, two to test on.
toy()
{
    local to=$1
    mkdir -p "$to/images" "$to/backup"
    LC_ALL=C awk -v to="$to" 'BEGIN {
        srand(7)
        for (c = 0; c < 8; c++)
            for (k = 0; k < 16; k++) {
                file = to "/images/c" c "_" k ".pgm"
                printf "P5 12 12 255\n" > file
                a = 3.14159 * (c % 4) / 4; width = c < 4 ? .8 : 1.7; shift = 6.28 * rand()
                for (y = 0; y < 12; y++)
                    for (x = 0; x < 12; x++)
                        printf "%c", int(128 + 60 * sin(width * (x * cos(a) + y * sin(a)) + shift) + 100 * (rand() - .5)) > file
                close(file)
                list = to (c < 4 ? "/train.list" : c < 6 ? "/valid.list" : "/test.list")
                print file > list
            }
    }'
    printf '%s\n' c0_ c1_ c2_ c3_ c4_ c5_ c6_ c7_ >"$to/labels"
    cat >"$to/toy.data" <<END
classes=8
labels=$to/labels
train=$to/train.list
valid=$to/valid.list
test=$to/test.list
backup=$to/backup
END
    cat >"$to/toy.cfg" <<END
[net]
width=12
height=12
channels=1
learning_rate=0.01
policy=steps
steps=6,9
scales=.5,.5
burn_in=3
max_batches=12
adam=1
decay=0.0005
min_crop=12
max_crop=15
angle=10
exposure=1.2

[episode]
ways=2
shots=2
queries=3
tasks=3

[convolutional]
batch_normalize=1
filters=4
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[dropout]
probability=.1

[connected]
output=2
activation=linear

[softmax]

[inner_loop]
steps=2
test_steps=3
learning_rate=0.1
order=2

[meta_loss]
type=difficulty
eta=2
start=7
END
}

# toy_twin FOLDER COPY: copies a toy, with a backup folder of its own
toy_twin()
{
    cp -r "$1" "$2"
    sed -i "s#^backup=.*#backup=$2/backup#" "$2/toy.data"
}

# toy_supervised FOLDER: turns a toy into one for meta pretrain: a classifier of its four training
# classes, of which the last four images each are held out, to be watched
toy_supervised()
{
    sed -i '/^\[inner_loop\]/,$d; s/^output=2/output=4/; s/^filters=4/filters=16/; s/^max_batches=.*/max_batches=12\nbatch=8\nsubdivisions=2/
            s/^learning_rate=.*/learning_rate=0.005/' "$1/toy.cfg"
    grep -E '_1[2-5]\.pgm' "$1/train.list" >"$1/held.list"
    grep -vE '_1[2-5]\.pgm' "$1/train.list" >"$1/kept.list"
    sed -i "s#^valid=.*#valid=$1/held.list#; s#^train=.*#train=$1/kept.list#" "$1/toy.data"
}

# train FOLDER FLAG...: runs meta train on a toy, under the name toy whatever the seed, with its output in FOLDER/out and FOLDER/err;
# pretrain runs meta pretrain likewise
run_toy() { local verb=$1 in=$2; shift 2; "$DARKNET_BIN" meta "$verb" "$in/toy.data" "$in/toy.cfg" -name toy "$@" >"$in/out" 2>"$in/err"; }
train() { run_toy train "$@"; }
pretrain() { run_toy pretrain "$@"; }

# killed_run VERB FOLDER UNTIL FLAG...: resumes where there is a checkpoint, and kills the run when
# it has written UNTIL lines of iterations. Returns the exit status of the run, 0 where it ended
# before that.
killed_run()
{
    local verb=$1 in=$2 until=$3 resume= pid
    shift 3
    [ ! -e "$in/backup/toy.state" ] || resume=-resume
    : >"$in/out"
    "$DARKNET_BIN" meta "$verb" "$in/toy.data" "$in/toy.cfg" -name toy "$@" $resume >"$in/out" 2>"$in/err" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(grep -c ' left$' "$in/out")" -lt "$until" ]; do sleep .002; done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
}

# no_charts: puts a gnuplot into PATH that draws one pixel, as the real one takes longer than a toy's training. The script that it
# is given goes to no_charts/script
no_charts()
{
    mkdir -p "$TMP_TEST/no_charts"
    echo iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg== | base64 -d >"$TMP_TEST/no_charts/pixel.png"
    printf '#!/bin/sh\ncat >"%s/script"\nexec cat "%s/pixel.png"\n' "$TMP_TEST/no_charts" "$TMP_TEST/no_charts" >"$TMP_TEST/no_charts/gnuplot"
    chmod +x "$TMP_TEST/no_charts/gnuplot"
    PATH=$TMP_TEST/no_charts:$PATH
}

same() { cmp -s "$1" "$2"; }
differ() { ! cmp -s "$1" "$2"; }
# same_end FOLDER FOLDER: whether two runs have the same final weights and state
same_end() { same "$1/backup/toy_final.weights" "$2/backup/toy_final.weights" && same "$1/backup/toy.state" "$2/backup/toy.state"; }
