/* Darknet's activations of a number x: the value, and below it the first and the second derivative,
   which are the exact ones of the value. The first fourteen are those of pjreddie's activations.h,
   the others those of AlexeyAB's. The switches have no default, so that the compiler warns of an
   activation that is missing. */
#ifndef META_ACTIVATION_MATH_H
#define META_ACTIVATION_MATH_H

#include <math.h>
#include "network/network.h"

/* Darknet's constants of selu, and of gelu's tanh(GELU_LINEAR x + GELU_CUBIC x^3). */
#define META_SELU_SCALE 1.0507
#define META_SELU_ALPHA 1.6732
#define META_GELU_LINEAR .797885
#define META_GELU_CUBIC .035677

static inline double meta_sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* log(1 + e^x), whose derivative is the sigmoid; from 20 on it is x to double precision of tanh(x).
 */
static inline double meta_softplus(double x) { return x > 20 ? x : log1p(exp(x)); }

/* Whether x lies where Darknet's stairs go up: from an odd whole number to the next. */
static inline int meta_stair_rises(double x) { return fmod(floor(x), 2) != 0; }

static inline double meta_activate(enum meta_activation kind, double x)
{
    switch (kind) {
    case META_LINEAR: break;
    case META_RELU: return x <= 0 ? 0 : x; /* NaN is NaN, as in stock Darknet */
    case META_LEAKY: return x > 0 ? x : .1 * x;
    case META_LOGISTIC: return meta_sigmoid(x);
    case META_RELIE: return x > 0 ? x : .01 * x;
    case META_RAMP: return x > 0 ? 1.1 * x : .1 * x;
    case META_TANH: return tanh(x);
    case META_PLSE: return x < -4 ? .01 * (x + 4) : x > 4 ? .01 * (x - 4) + 1 : .125 * x + .5;
    case META_ELU: return x >= 0 ? x : expm1(x);
    case META_SELU: return META_SELU_SCALE * (x >= 0 ? x : META_SELU_ALPHA * expm1(x));
    case META_LOGGY: return 2 * meta_sigmoid(x) - 1;
    case META_STAIR: return floor(x / 2) + (meta_stair_rises(x) ? x - floor(x) : 0);
    case META_HARDTAN: return x < -1 ? -1 : x > 1 ? 1 : x;
    case META_LHTAN: return x < 0 ? .001 * x : x > 1 ? .001 * (x - 1) + 1 : x;
    case META_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case META_SWISH: return x * meta_sigmoid(x);
    case META_MISH: return x * tanh(meta_softplus(x));
    case META_HARD_MISH: return x <= -2 ? 0 : x <= 0 ? x * x / 2 + x : x;
    case META_GELU: return x / 2 * (1 + tanh(META_GELU_LINEAR * x + META_GELU_CUBIC * x * x * x));
    }
    return x;
}

/* The factor of x in mish, tanh(softplus(x)), or in gelu, tanh of a cubic, and its derivatives. */
struct meta_gate {
    double t, slope, bend;
};

static inline struct meta_gate meta_mish_gate(double x)
{
    double s = meta_sigmoid(x), t = tanh(meta_softplus(x)), rest = 1 - t * t;
    return (struct meta_gate){ t, rest * s, rest * (s * (1 - s) - 2 * t * s * s) };
}

static inline struct meta_gate meta_gelu_gate(double x)
{
    double t = tanh(META_GELU_LINEAR * x + META_GELU_CUBIC * x * x * x), rest = 1 - t * t;
    double slope = META_GELU_LINEAR + 3 * META_GELU_CUBIC * x * x, bend = 6 * META_GELU_CUBIC * x;
    return (struct meta_gate){ t, rest * slope, rest * (bend - 2 * t * slope * slope) };
}

static inline double meta_slope(enum meta_activation kind, double x)
{
    double s, t;
    struct meta_gate m;
    switch (kind) {
    case META_LINEAR: break;
    case META_RELU: return x > 0;
    case META_LEAKY: return x > 0 ? 1 : .1;
    case META_LOGISTIC: s = meta_sigmoid(x); return s * (1 - s);
    case META_RELIE: return x > 0 ? 1 : .01;
    case META_RAMP: return x > 0 ? 1.1 : .1;
    case META_TANH: t = tanh(x); return 1 - t * t;
    case META_PLSE: return x < -4 || x > 4 ? .01 : .125;
    case META_ELU: return x >= 0 ? 1 : exp(x);
    case META_SELU: return META_SELU_SCALE * (x >= 0 ? 1 : META_SELU_ALPHA * exp(x));
    case META_LOGGY: s = meta_sigmoid(x); return 2 * s * (1 - s);
    case META_STAIR: return meta_stair_rises(x);
    case META_HARDTAN: return x > -1 && x < 1;
    case META_LHTAN: return x > 0 && x < 1 ? 1 : .001;
    case META_RELU6: return x > 0 && x < 6;
    case META_SWISH: s = meta_sigmoid(x); return s + x * s * (1 - s);
    case META_MISH: m = meta_mish_gate(x); return m.t + x * m.slope;
    case META_HARD_MISH: return x > 0 ? 1 : x > -2 ? x + 1 : 0;
    case META_GELU: m = meta_gelu_gate(x); return (1 + m.t + x * m.slope) / 2;
    }
    return 1;
}

static inline double meta_bend(enum meta_activation kind, double x)
{
    double s, t;
    struct meta_gate m;
    switch (kind) {
    case META_LOGISTIC: s = meta_sigmoid(x); return s * (1 - s) * (1 - 2 * s);
    case META_TANH: t = tanh(x); return -2 * t * (1 - t * t);
    case META_ELU: return x >= 0 ? 0 : exp(x);
    case META_SELU: return x >= 0 ? 0 : META_SELU_SCALE * META_SELU_ALPHA * exp(x);
    case META_LOGGY: s = meta_sigmoid(x); return 2 * s * (1 - s) * (1 - 2 * s);
    case META_SWISH: s = meta_sigmoid(x); return s * (1 - s) * (2 + x * (1 - 2 * s));
    case META_MISH: m = meta_mish_gate(x); return 2 * m.slope + x * m.bend;
    case META_HARD_MISH: return x > -2 && x <= 0;
    case META_GELU: m = meta_gelu_gate(x); return m.slope + x * m.bend / 2;
    case META_LINEAR:
    case META_RELU:
    case META_LEAKY:
    case META_RELIE:
    case META_RAMP:
    case META_PLSE:
    case META_STAIR:
    case META_HARDTAN:
    case META_LHTAN:
    case META_RELU6: break;
    }
    return 0;
}

#endif
