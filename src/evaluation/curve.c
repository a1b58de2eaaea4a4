/* Spreads the points of a learning curve over the epochs. */
#include "curve.h"

#define POINTS 25 /* beside the one before any epoch */

int meta_curve_points(int epochs) { return 1 + (epochs < POINTS ? epochs : POINTS); }

int meta_curve_epoch(int epochs, int point)
{
    int points = meta_curve_points(epochs);
    return points > 1 ? (long long)epochs * point / (points - 1) : 0;
}
