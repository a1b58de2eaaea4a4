#!/bin/bash
# AlexeyAB's Darknet, built for the CPU, computes activation=relu6 as 0 for every input: activate() in src/activations.c has no case for it and
# ends in "return 0". Its derivative and its CUDA code have one. cfg/efficientnet-lite3.cfg, whose blocks use it, gives the same outputs for every
# image there. hank-ai's Darknet, which began as a copy, has the case.
#
# Seen with: AlexeyAB/darknet at 59596d7, GCC 12.2, Debian 12, amd64.
#
# Output seen: "relu6 of 3: 0; its derivative there: 1", "relu of 3: 3".
#
#     findings/alexeyab-relu6.sh [REPOSITORY]        clones it (GitHub's) into a temporary folder
#
# Needs: gcc, git. Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
repository=${1:-https://github.com/AlexeyAB/darknet}
commit=59596d7880f6504768df41d6daa586f5cb2b932f
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
{ git clone -q --no-checkout "$repository" "$tmp/darknet" && git -C "$tmp/darknet" checkout -q $commit; } 2>"$tmp/log" \
    || { cat "$tmp/log" >&2; echo "$repository can't be cloned at $commit" >&2; exit 2; }
cd "$tmp"
cat >relu6.c <<'END'
#include <stdio.h>
#include "activations.h"

int main(void)
{
    printf("relu6 of 3: %g; its derivative there: %g\n", activate(3, RELU6), gradient(3, RELU6));
    printf("relu of 3: %g\n", activate(3, RELU));
    return !(activate(3, RELU6) == 0 && gradient(3, RELU6) == 1 && activate(3, RELU) == 3);
}
END
gcc -w -O1 -Idarknet/include -Idarknet/src relu6.c darknet/src/activations.c -o relu6 -lm 2>log || { cat log >&2; exit 2; }
./relu6 || { echo 'relu6 is not as described' >&2; exit 1; }
