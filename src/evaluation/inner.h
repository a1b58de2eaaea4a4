/* The inner loop as a method: what maml and the methods that pair have in common. */
#ifndef META_METHOD_INNER_H
#define META_METHOD_INNER_H

#include "method.h"

struct meta_inner_steps {
    int steps;
    int copies; /* of each image (copies.h); 0 or 1: the image alone */
};

extern const struct meta_method_flag meta_inner_flags[];        /* -steps */
extern const struct meta_method_flag meta_inner_copies_flags[]; /* and -augment */
void meta_inner_defaults(void *settings, const struct meta_model *,
                         const struct meta_episode_settings *);
void meta_inner_describe(const struct meta_model *, const struct meta_evaluation *, char *text,
                         size_t size);
void meta_inner_add_settings(cJSON *settings, const struct meta_model *,
                             const struct meta_evaluation *);
/* The `check` of methods that pair. */
int meta_inner_check_no_steps(const struct meta_model *, const struct meta_evaluation *,
                              struct meta_error *);
/* The `augments` of methods with meta_inner_copies_flags. */
int meta_inner_augments(const struct meta_model *, const void *settings);
int meta_inner_create(void **state, const struct meta_method_context *, struct meta_error *);
void meta_inner_free(void *state);
int meta_inner_run(void *state, const struct meta_method_task *, double *before, double *after,
                   struct meta_run *, struct meta_error *);

#endif
