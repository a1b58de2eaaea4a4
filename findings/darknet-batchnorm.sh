#!/bin/bash
# Darknet's batch normalisation: the forward pass divides the variance by N-1 and adds 1e-6 to the deviation; the backward pass is the
# derivative of one that divides by N and adds 1e-5 to the variance. On small batches its gradient is wrong by far more than rounding.
#
# Seen with: Debian 12, darknet 0.0.0+git20180914.61c9d02e-2+b4, amd64, GCC 12.2. N is the number of values of a channel: batch * height *
# width. The functions are those of blas.c and batchnorm_layer.c.
#
# Output seen: "variance 0.769167; sum of squares over N-1 0.769167, over N 0.576875", and "largest error of the backward pass in
# training: 0.267" on gradients of 0.2 to 1.4.
#
# Needs: gcc, apt-get (to download the package into a temporary folder), and the libraries the package depends on
# (apt-get install darknet). Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=0.0.0+git20180914.61c9d02e-2+b4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "darknet=$version" && dpkg-deb -x darknet_*.deb .; } >log 2>&1 || { cat log >&2; echo "darknet $version can't be downloaded" >&2; exit 2; }

cat >batchnorm.c <<'END'
/* One channel of N values x through the stock forward and backward pass, beside central differences in double of two forward passes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

void mean_cpu(float *x, int batch, int filters, int spatial, float *mean);
void variance_cpu(float *x, float *mean, int batch, int filters, int spatial, float *variance);
void normalize_cpu(float *x, float *mean, float *variance, int batch, int filters, int spatial);
void mean_delta_cpu(float *delta, float *variance, int batch, int filters, int spatial, float *mean_delta);
void variance_delta_cpu(float *x, float *delta, float *mean, float *variance, int batch, int filters, int spatial, float *variance_delta);
void normalize_delta_cpu(float *x, float *mean, float *variance, float *mean_delta, float *variance_delta, int batch, int filters, int spatial,
                         float *delta);

enum { N = 4 };
static const double x[N] = { .3, -1.2, .8, .4 }, delta[N] = { 1, -.5, .25, 2 };

/* What is derived: sum of delta times the normalised values. exact: over N-1, 1e-6 added to the deviation; else over N, 1e-5 to the variance. */
static double loss(const double *v, int exact)
{
    double mean = 0, squares = 0, sum = 0;
    for (int i = 0; i < N; i++) mean += v[i] / N;
    for (int i = 0; i < N; i++) squares += (v[i] - mean) * (v[i] - mean);
    double deviation = exact ? sqrt(squares / (N - 1)) + 1e-6 : sqrt(squares / N + 1e-5);
    for (int i = 0; i < N; i++) sum += delta[i] * (v[i] - mean) / deviation;
    return sum;
}

static double derivative(int i, int exact)
{
    double up[N], down[N], step = 1e-6;
    memcpy(up, x, sizeof x);
    memcpy(down, x, sizeof x);
    up[i] += step;
    down[i] -= step;
    return (loss(up, exact) - loss(down, exact)) / (2 * step);
}

int main(void)
{
    float in[N], out[N], back[N], mean, variance, mean_delta, variance_delta, over_n;
    double forward = 0, off = 0, squares = 0;
    for (int i = 0; i < N; i++) { in[i] = out[i] = x[i]; back[i] = delta[i]; }
    mean_cpu(in, N, 1, 1, &mean);
    variance_cpu(in, &mean, N, 1, 1, &variance);
    normalize_cpu(out, &mean, &variance, N, 1, 1);
    for (int i = 0; i < N; i++) { squares += (x[i] - mean) * (x[i] - mean); forward += delta[i] * out[i]; }
    printf("variance %.6f; sum of squares over N-1 %.6f, over N %.6f\n", variance, squares / (N - 1), squares / N);
    printf("forward %.6f; over N-1 %.6f, over N %.6f\n", forward, loss(x, 1), loss(x, 0));
    int as_told = fabs(variance - squares / (N - 1)) < 1e-5 && fabs(forward - loss(x, 1)) < 1e-5;

    /* the backward pass sees the variance over N-1 where its formula means that over N: both are tried */
    for (int k = 0; k < 2; k++) {
        over_n = squares / N;
        float *seen = k ? &over_n : &variance;
        float b[N];
        memcpy(b, back, sizeof b);
        mean_delta_cpu(b, seen, N, 1, 1, &mean_delta);
        variance_delta_cpu(in, b, &mean, seen, N, 1, 1, &variance_delta);
        normalize_delta_cpu(in, &mean, seen, &mean_delta, &variance_delta, N, 1, 1, b);
        for (int i = 0; i < N; i++) {
            double exact = derivative(i, !k);
            printf("backward, %s: %+.6f; derivative %+.6f\n", k ? "given the variance over N" : "as in training", b[i], exact);
            if (k) as_told &= fabs(b[i] - exact) < 1e-4;
            else off = fmax(off, fabs(b[i] - exact));
        }
    }
    printf("largest error of the backward pass in training: %.3f\n", off);
    return as_told && off > .01 ? 0 : 1;
}
END
gcc -O1 batchnorm.c -o batchnorm usr/lib/darknet/libdarknet.so -Wl,-rpath,"$tmp/usr/lib/darknet" -lm || exit 2
./batchnorm || { echo 'batch normalisation is not as described' >&2; exit 1; }
