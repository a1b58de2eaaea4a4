/* Whether the ranks of `meta test` are to test the same thing. */
#ifndef META_TEST_RANKS_H
#define META_TEST_RANKS_H

#include "evaluation/results.h"
#include "transport/transport.h"

/* Fails on all ranks, with both values, where the program, a plugin, what the file of results says
   of the test, the .cfg, the weights with their learned rates, the images or the instruction set
   differ. Of the results neither figures nor groups are read. All ranks call it. */
int meta_test_ranks(struct meta_transport *, const struct meta_results *, const char *instructions,
                    struct meta_error *);

/* Refuses what one process alone does: several weights (count), and answers (with) that are
   averaged with. */
int meta_test_ranks_alone(const struct meta_transport *, int weights, int with,
                          struct meta_error *);

#endif
