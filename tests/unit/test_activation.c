/* Activations: values of PyTorch's functions of the same names, derivatives against differences, and which of them never fall. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backends/loops/activation.h"

static const double at[] = { -3, -1, -.5, .5, 2, 7 };
enum { POINTS = sizeof at / sizeof *at };

/* torch.nn.functional's relu6, silu, mish and, with Darknet's two constants, gelu(approximate="tanh"), in float64; hard_mish by hand */
static const struct { enum meta_activation kind; double value[POINTS]; } expected[] = {
    { META_RELU6, { 0, 0, 0, 0.5, 2, 6 } },
    { META_SWISH, { -0.1422776195327, -0.26894142137, -0.1887703343991, 0.3112296656009, 1.761594155956, 6.993622641639 } },
    { META_MISH, { -0.1456474612756, -0.3034014613741, -0.2207437746517, 0.3752452113049, 1.943958959534, 6.99998837981 } },
    { META_GELU, { -0.00363746257748, -0.158808001093, -0.1542859542071, 0.3457140457929, 1.954597482284, 7 } },
    { META_HARD_MISH, { 0, -.5, -.375, .5, 2, 7 } },
    { META_HARDTAN, { -1, -1, -.5, .5, 1, 1 } },
    { META_RAMP, { -.3, -.1, -.05, .55, 2.2, 7.7 } },
    { META_STAIR, { -2, -1, -.5, 0, 1, 3 } },
    { META_PLSE, { .125, .375, .4375, .5625, .75, 1.03 } },
};

static void values(void **state)
{
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (int k = 0; k < POINTS; k++) {
            double got = meta_activate(expected[i].kind, at[k]), wanted = expected[i].value[k];
            if (!(fabs(got - wanted) <= 1e-11 * (1 + fabs(wanted))))
                fail_msg("%s of %g: %.12g, not %.12g", meta_activation_name(expected[i].kind), at[k], got, wanted);
        }
}

/* What is no number stays none: an activation that hides it lets a network that has diverged be scored. */
static void no_number(void **state)
{
    for (enum meta_activation kind = 0; kind < META_ACTIVATIONS; kind++)
        if (!isnan(meta_activate(kind, NAN))) fail_msg("%s of NaN is %g", meta_activation_name(kind), meta_activate(kind, NAN));
}

static double difference(double (*f)(enum meta_activation, double), enum meta_activation kind, double x)
{
    double h = 1e-5;
    return (f(kind, x + h) - f(kind, x - h)) / (2 * h);
}

/* At places that are no kinks of any activation. */
static void derivatives(void **state)
{
    for (enum meta_activation kind = 0; kind < META_ACTIVATIONS; kind++)
        for (double x = -7.37; x < 8; x += .53) {
            double slope = meta_slope(kind, x), bend = meta_bend(kind, x);
            if (!(fabs(slope - difference(meta_activate, kind, x)) <= 1e-8 && fabs(bend - difference(meta_slope, kind, x)) <= 1e-8))
                fail_msg("%s at %g: slope %g, bend %g", meta_activation_name(kind), x, slope, bend);
        }
}

static void far_out(void **state)
{
    for (enum meta_activation kind = 0; kind < META_ACTIVATIONS; kind++)
        for (int sign = -1; sign <= 1; sign += 2)
            if (!isfinite(meta_activate(kind, sign * 800)) || !isfinite(meta_slope(kind, sign * 800)) || !isfinite(meta_bend(kind, sign * 800)))
                fail_msg("%s at %d is not finite", meta_activation_name(kind), sign * 800);
}

static void which_never_fall(void **state)
{
    for (enum meta_activation kind = 0; kind < META_ACTIVATIONS; kind++) {
        int falls = 0;
        for (double x = -6; x < 7; x += .01) falls |= meta_activate(kind, x + .01) < meta_activate(kind, x) - 1e-15;
        if (falls == meta_non_decreasing(kind)) fail_msg("%s %s", meta_activation_name(kind), falls ? "falls" : "never falls");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(no_number), cmocka_unit_test(derivatives), cmocka_unit_test(far_out), cmocka_unit_test(which_never_fall) };
    return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
