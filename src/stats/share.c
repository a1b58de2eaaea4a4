/* The interval of a share of cases. */
#include "share.h"

#include <math.h>

void meta_share_interval(double p, double n, double *low, double *high)
{
    double z = 1.959964, middle = p + z * z / (2 * n),
           half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    /* at 0 and 1 the two terms are equal but for rounding */
    *low = p > 0 ? fmax((middle - half) / (1 + z * z / n), 0) : 0;
    *high = p < 1 ? fmin((middle + half) / (1 + z * z / n), 1) : 1;
}
