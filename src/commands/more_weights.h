/* The flag -weights of `meta test`: several weights of one .cfg whose answers are averaged. */
#ifndef META_MORE_WEIGHTS_H
#define META_MORE_WEIGHTS_H

#include "evaluation/method.h"
#include "word_list.h"

struct meta_more_weights {
    struct meta_word_list paths;
    const struct meta_backend *backend;
    void **phi; /* (count) of those behind the first */
    int count;
};
/* Splits the value, and refuses WEIGHTS beside it, and an `out` (may be NULL), which is to be
   written, in it. *first: WEIGHTS or NULL; becomes the first of the list. */
int meta_more_weights_split(struct meta_more_weights *, const char *value, const char *out,
                            const char **first, struct meta_error *);
/* Whether the method's answers can be averaged so: each of several must have all that it needs in
   its .weights. */
int meta_more_weights_check(const struct meta_more_weights *, const struct meta_model *,
                            const struct meta_evaluation *, struct meta_error *);
/* Reads those behind the first into vectors of the backend, and has the evaluation take them. */
int meta_more_weights_load(struct meta_more_weights *, const struct meta_network *,
                           const struct meta_backend *, struct meta_evaluation *,
                           struct meta_error *);
void meta_more_weights_clear(struct meta_more_weights *);

#endif
