/* Logistic regression with an L2 penalty. */
#ifndef META_REGRESSION_H
#define META_REGRESSION_H

#include "base/error.h"

/* Points to learn from: features (count, size), labels (count), 0 to classes-1. */
struct meta_regression_points {
    int count, size, classes;
    const double *features;
    const int *labels;
};

/* The weights and biases that make |w|^2/2 + C * (the sum over the points of -log(probability of
   the label)) the least, as scikit-learn's LogisticRegression has them: with two classes one vector
   w, whose inner product and bias are the log-odds of the second, with more one a class, under
   softmax. Biases are not penalised; with more
   than two classes their sum is 0. w (vectors, size+1), each with its bias last; vectors is 1 of
   two classes, else `classes`. Newton's method, whose steps conjugate gradients solve; it ends
   where no part of the gradient is above 1e-9 times C. Fails without memory, and where it comes to
   no end, as with features that are not finite. */
int meta_regression_fit(double *w, const struct meta_regression_points *, double C,
                        struct meta_error *);

/* logits (classes) of a point (size), of which the first is 0 with two classes. */
void meta_regression_logits(double *logits, const double *w, const double *point, int size,
                            int classes);

#endif
