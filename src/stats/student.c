/* Solves for the point of Student's t by Newton's steps on its distribution. */
#include "student.h"

#include <math.h>

/* The share of the distribution between -t and t, a finite sum for whole degrees of freedom
   (Abramowitz and Stegun 26.7.3 and 26.7.4). */
static double share_within(double t, int degrees)
{
    double angle = atan(t / sqrt(degrees)), s = sin(angle), c2 = cos(angle) * cos(angle);
    int odd = degrees % 2;
    double term = odd ? cos(angle) : 1, sum = degrees > 1 ? term : 0;
    for (int k = odd ? 3 : 2; k < degrees; k += 2) {
        term *= c2 * (k - 1.) / k;
        sum += term;
    }
    return odd ? 2 / M_PI * (angle + s * sum) : s * sum;
}

static double density(double t, int degrees)
{
    double n = degrees;
    return exp(lgamma((n + 1) / 2) - lgamma(n / 2) - (n + 1) / 2 * log1p(t * t / n))
        / sqrt(n * M_PI);
}

/* The distribution is concave there, so that steps from below never pass the point. */
double meta_student_point(int degrees)
{
    if (degrees == 1) return tan(.475 * M_PI);
    double t = 1.959963984540054, last = INFINITY;
    for (int i = 0; i < 60; i++) {
        double step = (.95 - share_within(t, degrees)) / (2 * density(t, degrees));
        if (last < 1e-9 * t && fabs(step) >= last) break; /* rounding */
        t += step;
        last = fabs(step);
        if (last < 1e-14 * t) break;
    }
    return t;
}
