/* The temperature that makes probabilities as sure as they are right (Guo et al., ICML 2017). */
#ifndef META_STATS_TEMPERATURE_H
#define META_STATS_TEMPERATURE_H

#include "base/error.h"

/* The temperatures that are looked at. */
#define META_TEMPERATURE_LEAST .01
#define META_TEMPERATURE_MOST 100.

/* Answers to tasks of equal size. */
struct meta_temperature_answers {
    int tasks, images, ways;
    const double *logs; /* (tasks, images, ways) natural logarithms of the classes' probabilities */
    const int *labels;  /* (images) of every task */
};

struct meta_temperature_fit {
    double temperature;
    double low, high;     /* its 95% interval over tasks; NaN for a single one */
    double before, after; /* mean negative log-likelihood at a temperature of 1, and at this one */
    int left_out;         /* images with a number that is not finite */
};

/* Divides logs (n, ways) by the temperature, and takes from each row what makes its exponentials
   add up to 1 again. */
void meta_temper(double *logs, int n, int ways, double temperature);

/* Finds the temperature of the least negative log-likelihood over all images. The likelihood's
   logarithm is concave in 1/temperature: Newton's method, kept between bounds, finds where its
   derivative is 0. The interval is that of a mean over tasks: the images of a task were learned
   together. Fails where it does not lie between the two above, as where every answer is right, or
   the answers know nothing, and where no image is left. */
int meta_temperature_fit(struct meta_temperature_fit *, const struct meta_temperature_answers *,
                         struct meta_error *);

#endif
