/* Computes Renyi divergences of the sampled Gaussian mechanism, and epsilons of them. */
#include "privacy.h"

#include <math.h>

#define MOST_TERMS 100000
#define SMALL 40. /* terms e^-SMALL of the largest so far are left out */

static double log_add(double a, double b)
{
    double most = fmax(a, b), least = fmin(a, b);
    return isinf(least) ? most : most + log1p(exp(least - most));
}

/* log(e^a - e^b), a >= b */
static double log_subtract(double a, double b)
{
    return isinf(b) ? a : b >= a ? -INFINITY : a + log1p(-exp(b - a));
}

/* log(erfc(x)): where erfc underflows, the first terms of its asymptotic series */
static double log_erfc(double x)
{
    if (x < 20) return log(erfc(x));
    double y = 1 / (2 * x * x);
    return -x * x - log(x * sqrt(M_PI)) + log1p(-y + 3 * y * y - 15 * y * y * y);
}

/* log of sum_k C(n, k) (1-q)^(n-k) q^k exp((k^2 - k) / (2 sigma^2)) */
static double log_whole(double q, double sigma, int n)
{
    double sum = -INFINITY;
    for (int k = 0; k <= n; k++) {
        double log_choose = lgamma(n + 1.) - lgamma(k + 1.) - lgamma(n - k + 1.);
        double power = (double)k * (k - 1) / (2 * sigma * sigma);
        sum = log_add(sum, log_choose + k * log(q) + (n - k) * log1p(-q) + power);
    }
    return sum;
}

/* The same of an order between whole numbers: the integral is cut where both parts of the mixture
   are equal, and the power expanded on either side by the larger part. The generalised binomial
   coefficients alternate in sign from the order on. */
static double log_fractional(double q, double sigma, double order)
{
    double cut = sigma * sigma * log(1 / q - 1) + .5, scale = sqrt(2.) * sigma;
    double plus = -INFINITY, minus = -INFINITY, log_choose = 0, log_q = log(q), log_p = log1p(-q);
    int sign = 1;
    for (int i = 0; i < MOST_TERMS; i++) {
        double j = order - i;
        double below = log_choose + i * log_q + j * log_p + log(.5) + log_erfc((i - cut) / scale)
            + (double)i * (i - 1) / (2 * sigma * sigma);
        double above = log_choose + j * log_q + i * log_p + log(.5) + log_erfc((cut - j) / scale)
            + (j * j - j) / (2 * sigma * sigma);
        double term = log_add(below, above);
        if (sign > 0) plus = log_add(plus, term);
        else minus = log_add(minus, term);
        if (i > order && term < fmax(plus, minus) - SMALL) return log_subtract(plus, minus);
        log_choose += log(fabs(j)) - log(i + 1.);
        if (j < 0) sign = -sign;
    }
    return INFINITY;
}

double meta_privacy_divergence(double q, double sigma, double order)
{
    if (q == 1) return order / (2 * sigma * sigma);
    double whole = floor(order);
    double a = order == whole ? log_whole(q, sigma, (int)whole) : log_fractional(q, sigma, order);
    /* a divergence is not negative: what is left of one far below rounding may be */
    return isnan(a) ? INFINITY : fmax(a, 0) / (order - 1);
}

double meta_privacy_convert(double divergence, double order, double delta)
{
    double epsilon = divergence + log1p(-1 / order) - log(delta * order) / (order - 1);
    return isnan(epsilon) ? INFINITY : fmax(epsilon, 0);
}

static double best(double least, double q, double sigma, double order, double releases,
                   double delta)
{
    double d = releases * meta_privacy_divergence(q, sigma, order);
    return fmin(least, meta_privacy_convert(d, order, delta));
}

/* Orders close enough that the least epsilon is missed by a part of a thousand at most. With q < 1
   the divergence may be infinite above some order, and the largest are whole. */
double meta_privacy_epsilon(double q, double sigma, double releases, double delta)
{
    double least = INFINITY;
    if (releases <= 0) return 0;
    if (!(sigma > 0)) return INFINITY;
    if (q == 1) {
        for (double a = 1e-3; a < 1e9; a *= 1.01)
            least = best(least, q, sigma, 1 + a, releases, delta);
        return least;
    }
    for (double a = .02; a < 32; a *= 1.03) least = best(least, q, sigma, 1 + a, releases, delta);
    for (int n = 2; n < 2048; n += 1 + n / 32) least = best(least, q, sigma, n, releases, delta);
    return least;
}
