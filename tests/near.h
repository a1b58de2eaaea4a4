/* assert_near: in double, and NaN is near nothing (cmocka's assert_float_equal compares as float, and lets NaN pass). */
#ifndef TESTS_NEAR_H
#define TESTS_NEAR_H

#include <math.h>

#define assert_near(a, b, tolerance) do { \
    double near_a = (a), near_b = (b), near_t = (tolerance); \
    if (!(fabs(near_a - near_b) <= near_t)) \
        fail_msg("%s = %.17g, not %.17g within %g", #a, near_a, near_b, near_t); \
} while (0)

#endif
