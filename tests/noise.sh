# Images of noise, and a network of one layer for them. Sourced after lib.sh.

# noise FOLDER SEPARATOR SEED: makes 12 images of noise, 12x12 and gray, of each of four classes: FOLDER/k0_0.pgm with the separator _,
# FOLDER/k0/0.pgm with /. Classes 0 and 1 are in FOLDER/train.list, 2 and 3 in FOLDER/test.list. Whatever a method finds in a
# task of them, it has seen before.
noise()
{
    [ "$2" != / ] || mkdir -p "$1"/{k0,k1,k2,k3}
    LC_ALL=C awk -v t="$1" -v separator="$2" -v seed="$3" 'BEGIN {
        srand(seed)
        for (c = 0; c < 4; c++)
            for (k = 0; k < 12; k++) {
                file = t "/k" c separator k ".pgm"
                printf "P5 12 12 255\n" >file
                for (i = 0; i < 144; i++) printf "%c", int(256 * rand()) >file
                close(file)
                print file >(t (c < 2 ? "/train.list" : "/test.list"))
            }
    }'
}

# noise_cfg SHOTS: prints the network, which learns a task of two classes from so many images a class, and is asked as many
noise_cfg()
{
    cat <<END
[net]
width=12
height=12
channels=1
max_batches=2
[episode]
ways=2
shots=$1
queries=$1
tasks=1
[connected]
output=2
activation=linear
[softmax]
[inner_loop]
steps=1
test_steps=1
order=1
END
}
