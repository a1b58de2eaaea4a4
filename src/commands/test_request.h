/* What the command line of `meta test` asks for. */
#ifndef META_TEST_REQUEST_H
#define META_TEST_REQUEST_H

#include "evaluation/method.h"
#include "ranks.h"

#define META_TEST_OWN_FLAGS 64 /* room for the flags of all methods */

/* The flags as they are given, NULL where they are not, but for list. */
struct meta_test_request {
    const char *runs, *shots, *method, *seed, *list, *threads, *out, *backend, *kernels, *bn,
        *temperature, *weights, *csv, *with, *temper, *train_data;
    int fit_temperature;
    struct meta_ranks_flags ranks;
    const struct meta_method_flag *own[META_TEST_OWN_FLAGS]; /* that only some methods read */
    const char *values[META_TEST_OWN_FLAGS];
    int own_count;
};
/* Takes the flags out of argv (argc), those of the methods behind -method. Returns how many words
   there are. */
int meta_test_request_read(struct meta_test_request *, int argc, char **argv);

#endif
