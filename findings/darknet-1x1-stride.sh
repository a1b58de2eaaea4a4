#!/bin/bash
# Darknet's convolution of size=1 ignores its stride: forward_convolutional_layer() leaves im2col out where size is 1, since a pixel's patch is the
# pixel, and so the picking of every other pixel, too. The output has the size that the stride asks for, and holds the first pixels in a row.
#
# Seen with: Debian 12, darknet 0.0.0+git20180914.61c9d02e-2+b4, amd64, GCC 12.2.
#
# Output seen: the picture's 4x4 numbers 1 to 16 through size=1 stride=2 and a weight of 1 are "1 2 3 4"; every other one would be "1 3 9 11",
# which the same layer with size=3 pad=1 and the weight in its middle gives.
#
# Needs: gcc, apt-get (to download the package into a temporary folder), and the libraries the package depends on
# (apt-get install darknet). Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=0.0.0+git20180914.61c9d02e-2+b4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "darknet=$version" && dpkg-deb -x darknet_*.deb .; } >log 2>&1 || { cat log >&2; echo "darknet $version can't be downloaded" >&2; exit 2; }

net='[net]\nwidth=4\nheight=4\nchannels=1\nbatch=1\n[convolutional]\nfilters=1\nstride=2\nactivation=linear\n'
printf "${net}size=1\n" >one.cfg
printf "${net}size=3\npad=1\n" >three.cfg
cat >stride.c <<'END'
/* Prints the outputs of a network of one convolution whose only weight that is not 0 is the kernel's middle, of the picture 1 to 16. */
#include <darknet.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    float picture[16];
    network *net = load_network(argv[1], NULL, 0);
    layer l = net->layers[0];
    for (int i = 0; i < 16; i++) picture[i] = i + 1;
    for (int i = 0; i < l.nweights; i++) l.weights[i] = i == l.nweights / 2;
    const float *y = network_predict(net, picture);
    for (int i = 0; i < l.outputs; i++) printf("%s%g", i ? " " : "", y[i]);
    puts("");
    return 0;
}
END
gcc -w -O1 -Iusr/lib/darknet/include stride.c -o stride usr/lib/darknet/libdarknet.so -Wl,-rpath,"$tmp/usr/lib/darknet" -lm || exit 2
one=$(./stride one.cfg 2>log) && three=$(./stride three.cfg 2>>log) || { cat log >&2; exit 2; }
echo "size=1 stride=2: $one"
echo "size=3 stride=2 pad=1, the weight in the middle: $three"
[ "$one" = '1 2 3 4' ] && [ "$three" = '1 3 9 11' ] || { echo 'the stride is not ignored as described' >&2; exit 1; }
