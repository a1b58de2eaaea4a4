#!/bin/bash
# Loading Debian's libdarknet.so sets FTZ and DAZ in the calling thread: from then on it computes with 0 in place of denormal numbers.
#
# Seen with: Debian 12, darknet 0.0.0+git20180914.61c9d02e-2+b4, amd64, GCC 12.2. The library is linked with -Ofast, hence with GCC's
# crtfastmath.o, whose constructor sets both bits of the control register MXCSR. None of the libraries that it needs does so.
#
# Output seen: each of its libraries "FTZ 0, DAZ 0, 1.2e-38 / 2 = 5.87747e-39", then libdarknet.so "FTZ 1, DAZ 1, 1.2e-38 / 2 = 0".
#
# Needs: gcc, apt-get (to download the package into a temporary folder), and the libraries the package depends on
# (apt-get install darknet). Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=0.0.0+git20180914.61c9d02e-2+b4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "darknet=$version" && dpkg-deb -x darknet_*.deb .; } >log 2>&1 || { cat log >&2; echo "darknet $version can't be downloaded" >&2; exit 2; }

cat >loaded.c <<'END'
/* Loads the libraries that it is given, and after each prints what became of the smallest denormal float and of the bits of MXCSR. */
#include <dlfcn.h>
#include <stdio.h>
#include <xmmintrin.h>

static void look(const char *what)
{
    volatile float normal = 1.17549435e-38f, half = .5f;       /* the smallest normal number; its half is denormal */
    volatile float product = normal * half;
    unsigned mxcsr = _mm_getcsr();
    printf("%s: FTZ %u, DAZ %u, 1.2e-38 / 2 = %g\n", what, mxcsr >> 15 & 1, mxcsr >> 6 & 1, product);
}

int main(int argc, char **argv)
{
    look("at the start");
    for (int i = 1; i < argc; i++) {
        if (!dlopen(argv[i], RTLD_NOW)) { fprintf(stderr, "%s\n", dlerror()); return 2; }
        look(argv[i]);
    }
    return 0;
}
END
gcc -O1 loaded.c -o loaded -ldl || exit 2
needed=$(readelf -d usr/lib/darknet/libdarknet.so | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
./loaded $needed ./usr/lib/darknet/libdarknet.so | tee seen || exit 2

[ "$(grep -c 'FTZ 0, DAZ 0, .* = 5.87747e-39$' seen)" -eq $(($(wc -w <<<"$needed") + 1)) ] || { echo 'a library that it needs sets them, too' >&2; exit 1; }
grep -q '^./usr/lib/darknet/libdarknet.so: FTZ 1, DAZ 1, .* = 0$' seen || { echo 'libdarknet.so no longer sets them' >&2; exit 1; }
