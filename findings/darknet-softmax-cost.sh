#!/bin/bash
# Many of Darknet's classification .cfg files end in [softmax] and [cost]. The softmax layer of this Darknet has a loss and a gradient of its own,
# p - y, and the [cost] behind it, type=sse, adds the same p - y once more, since the softmax passes on what comes from behind as it is: such a
# network learns by twice the gradient of the same network without [cost], so at twice its learning rate. (With decay, which is not doubled,
# no rate makes the two the same.)
#
# Seen with: Debian 12, darknet 0.0.0+git20180914.61c9d02e-2+b4, amd64, GCC 12.2.
#
# Output seen: "without [cost]: -0.320092 0.666844 -0.346752", "with [cost]: -0.640185 1.33369 -0.693504", the updates of three biases. Checked
# is that the second three are twice the first.
#
# Needs: gcc, apt-get (to download the package into a temporary folder), and the libraries the package depends on
# (apt-get install darknet). Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=0.0.0+git20180914.61c9d02e-2+b4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "darknet=$version" && dpkg-deb -x darknet_*.deb .; } >log 2>&1 || { cat log >&2; echo "darknet $version can't be downloaded" >&2; exit 2; }

printf '[net]\nwidth=2\nheight=2\nchannels=1\nbatch=1\n[connected]\noutput=3\nactivation=linear\n[softmax]\n' >alone.cfg
{ cat alone.cfg; printf '[cost]\ntype=sse\n'; } >cost.cfg
cat >learn.c <<'END'
/* Prints the updates that the biases of a network of one [connected] get by one image whose class is the second of three. */
#include <darknet.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    network *net = load_network(argv[1], NULL, 0);
    layer l = net->layers[0];
    for (int i = 0; i < net->inputs; i++) net->input[i] = .1f * (i + 1);
    for (int i = 0; i < l.inputs * l.outputs; i++) l.weights[i] = .01f * i;
    net->truth[1] = 1;
    net->train = 1;
    forward_network(net);
    backward_network(net);
    for (int i = 0; i < l.outputs; i++) printf("%s%g", i ? " " : "", l.bias_updates[i]);
    puts("");
    return 0;
}
END
gcc -w -O1 -Iusr/lib/darknet/include learn.c -o learn usr/lib/darknet/libdarknet.so -Wl,-rpath,"$tmp/usr/lib/darknet" -lm || exit 2
alone=$(./learn alone.cfg 2>log) && cost=$(./learn cost.cfg 2>>log) || { cat log >&2; exit 2; }
echo "without [cost]: $alone"
echo "with [cost]: $cost"
echo "$alone $cost" | awk '{ for (i = 1; i <= 3; i++) { d = $(i + 3) - 2 * $i; if (d < 0) d = -d; bad = bad || d > 1e-4 || $i == 0 } exit bad || NF != 6 }' \
    || { echo 'the gradient is not doubled as described' >&2; exit 1; }
