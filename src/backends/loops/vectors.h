/* Memory and vector operations of a backend in host memory, the update with momentum among them, in
   plain loops: a backend's source includes this file once, with REAL and NAME as kernels.h
   describes them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *NAME(allocate)(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 4096, bytes ? bytes : 1)) return NULL;
    return memset(p, 0, bytes);
}

static void NAME(set)(void *y, size_t n, double value)
{
    REAL *a = y;
    for (size_t i = 0; i < n; i++) a[i] = value;
}

static void NAME(copy)(void *y, const void *x, size_t n) { memcpy(y, x, n * sizeof(REAL)); }

static void NAME(axpy)(void *y, size_t n, double a, const void *x)
{
    REAL *p = y;
    const REAL *q = x;
    REAL f = a;
    for (size_t i = 0; i < n; i++) p[i] += f * q[i];
}

static void NAME(scale)(void *y, size_t n, double a)
{
    REAL *p = y;
    REAL f = a;
    for (size_t i = 0; i < n; i++) p[i] *= f;
}

static void NAME(multiply)(void *y, size_t n, const void *x)
{
    REAL *p = y;
    const REAL *q = x;
    for (size_t i = 0; i < n; i++) p[i] *= q[i];
}

static double NAME(dot)(const void *x, const void *y, size_t n)
{
    const REAL *p = x, *q = y;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)p[i] * q[i];
    return sum;
}

static void NAME(gather)(void *y, const void *x, const uint32_t *place, size_t n)
{
    REAL *p = y;
    const REAL *q = x;
    for (size_t i = 0; i < n; i++) p[i] = q[place[i]];
}

static void NAME(scatter)(void *y, const void *x, const uint32_t *place, size_t n)
{
    REAL *p = y;
    const REAL *q = x;
    for (size_t i = 0; i < n; i++) p[place[i]] += q[i];
}

static void NAME(upload)(void *y, const float *x, size_t n)
{
    REAL *p = y;
    for (size_t i = 0; i < n; i++) p[i] = x[i];
}

static void NAME(download)(float *y, const void *x, size_t n)
{
    const REAL *p = x;
    for (size_t i = 0; i < n; i++) y[i] = p[i];
}

static void NAME(upload_double)(void *y, const double *x, size_t n)
{
    REAL *p = y;
    for (size_t i = 0; i < n; i++) p[i] = x[i];
}

static void NAME(download_double)(double *y, const void *x, size_t n)
{
    const REAL *p = x;
    for (size_t i = 0; i < n; i++) y[i] = p[i];
}

/* Darknet's gradient descent with momentum; learning/optimiser.h says more. */
static void NAME(momentum)(void *p, const void *gradient, void *velocity, size_t n, double rate,
                           double momentum, double decay)
{
    REAL *w = p, *u = velocity;
    const REAL *g = gradient;
    for (size_t i = 0; i < n; i++) {
        u[i] = momentum * u[i] + g[i] + decay * w[i];
        w[i] -= rate * u[i];
    }
}
