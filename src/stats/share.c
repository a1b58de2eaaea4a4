/* The interval of a share of cases. */
#include "share.h"

#include <math.h>

void meta_share_interval(double p, double n, double *low, double *high)
{
    double z = 1.959964, middle = p + z * z / (2 * n),
           half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = (middle - half) / (1 + z * z / n);
    *high = (middle + half) / (1 + z * z / n);
}
