/* How well probabilities say how sure one may be: negative log-likelihood, Brier score, and the
   expected calibration error over bins of the top probability. */
#ifndef META_CALIBRATION_H
#define META_CALIBRATION_H

#include "estimate.h"

/* Bins of equal width over 0..1. Bin i holds the top probabilities above i/15 and up to (i+1)/15,
   as in Guo et al., ICML 2017; the first also holds 0. */
enum { META_CALIBRATION_BINS = 15 };

struct meta_calibration_bin {
    double count;      /* images */
    double confidence; /* the sum of their top probabilities */
    double correct;    /* how many of them have that class */
};

/* Of the images of one task, or of several added up. */
struct meta_calibration {
    double nll; /* mean of -log(probability of the image's class), in nats */
    /* Mean squared error of the probabilities: with two classes of the second one's, 0 to 1, as in
       scikit-learn's brier_score_loss; with more the sum over the classes, 0 to 2. */
    double brier;
    struct meta_calibration_bin bins[META_CALIBRATION_BINS];
};

/* The largest Brier score of so many classes. */
double meta_calibration_worst(int ways);
/* Fills the figures of n images from logs (n, ways), the natural logarithms of their classes'
   probabilities, and labels (n). An image with a number that is not finite counts as one that every
   class is as likely for. Thread-safe; allocates nothing. */
void meta_calibration_task(struct meta_calibration *, const double *logs, const int *labels, int n,
                           int ways);

/* Adds the bins of one more task. */
void meta_calibration_add(struct meta_calibration_bin *sum, const struct meta_calibration_bin *);
/* The expected calibration error: the mean over the images of the distance, in their bin, of the
   mean top probability from the share that is correct. NaN without images. */
double meta_calibration_error(const struct meta_calibration_bin *);

/* That error over all images of n tasks, whose figures lie `stride` bytes apart. Its standard error
   and 95% interval are from bootstrap samples of the tasks. A finite number of images makes the
   error larger than it is, most where it is 0. So the lower end is the least error, of all that are
   a multiple of what each bin shows, at which one like that seen is not rare (1 in 40), and the
   upper end the greatest, or that without any such bias where this is greater: rather too wide. */
int meta_calibration_estimate(struct meta_estimate *, const struct meta_calibration *first,
                              size_t stride, int n, struct meta_error *);

#endif
