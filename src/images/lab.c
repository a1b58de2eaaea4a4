/* Turns sRGB into L*a*b*: IEC 61966-2-1's curve, BT.709's primaries, CIE 15's functions. */
#include "lab.h"

#include <math.h>

static double linear(double x) { return x <= .04045 ? x / 12.92 : pow((x + .055) / 1.055, 2.4); }

static double cube(double t) { return t > 216. / 24389 ? cbrt(t) : (24389. / 27 * t + 16) / 116; }

void meta_lab(const double rgb[3], double lab[3])
{
    /* rows: X, Y, Z, each of the white's being 1 */
    static const double primaries[3][3] = {
        { .412453 / .950456, .357580 / .950456, .180423 / .950456 },
        { .212671, .715160, .072169 },
        { .019334 / 1.088754, .119193 / 1.088754, .950227 / 1.088754 }
    };
    double f[3];
    for (int i = 0; i < 3; i++) {
        double sum = 0;
        for (int k = 0; k < 3; k++) sum += primaries[i][k] * linear(rgb[k]);
        f[i] = cube(sum);
    }
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}
