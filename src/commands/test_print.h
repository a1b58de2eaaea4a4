/* What `meta test` prints of its results. */
#ifndef META_TEST_PRINT_H
#define META_TEST_PRINT_H

#include "evaluation/results.h"

/* Prints the figures with their intervals, and a line for each pair of classes. */
int meta_print_results(const struct meta_results *, struct meta_error *);

#endif
