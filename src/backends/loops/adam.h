/* Adam's update of a backend in host memory, in a plain loop: a backend's source includes this file
   once, with REAL and NAME as kernels.h describes them. */
#include <math.h>
#include <stddef.h>

/* The Adam of Kingma and Ba, with Darknet's decay added to the gradient; learning/optimiser.h
   says more. */
static void NAME(adam)(void *p, const void *gradient, void *m, void *v, size_t n, double rate,
                       double b1, double b2, double eps, double decay, long t)
{
    REAL *w = p, *mean = m, *square = v;
    const REAL *g = gradient;
    double first = 1 / (1 - pow(b1, t)), second = 1 / (1 - pow(b2, t));
    for (size_t i = 0; i < n; i++) {
        double d = g[i] + decay * w[i];
        mean[i] = b1 * mean[i] + (1 - b1) * d;
        square[i] = b2 * square[i] + (1 - b2) * d * d;
        w[i] -= rate * (mean[i] * first) / (sqrt(square[i] * second) + eps);
    }
}
