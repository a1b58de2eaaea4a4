/* A method: how a test learns a task from its support images and scores its query images. All of them see the same tasks. */
#ifndef META_METHOD_H
#define META_METHOD_H

#include "evaluate.h"

/* What a method of one thread is made from; it outlives it. */
struct meta_method_context {
    const struct meta_model *model;
    const struct meta_backend *backend;
    const struct meta_dataset *augmented;      /* the task's data set at the size that augmentation wants; NULL unless the method asks for it */
    const struct meta_evaluation *evaluation;
};

struct meta_method_task {
    struct meta_task task;                     /* its `iteration` is the number of the run */
    const struct meta_episode *episode;
    const void *phi;                           /* the weights, a backend vector */
};

struct meta_method {
    const char *name;
    int learns;                                /* there is something to score before it has learned the task; else before is after */
    int augments;                              /* asks for `augmented` */
    /* Whether it can work on this network: refuses with file, line and what is allowed. */
    int  (*check)(const struct meta_model *, const struct meta_evaluation *, struct meta_error *);
    /* One thread's; allocates all that run needs, but for what OpenCV does. */
    int  (*create)(void **, const struct meta_method_context *, struct meta_error *);
    void (*free)(void *);
    /* Scores (query images, ways) before and after, higher for likelier; query_loss and the curve of *run, where it has them. */
    int  (*run)(void *, const struct meta_method_task *, float *before, float *after, struct meta_run *run, struct meta_error *);
    /* What it does, in a few words: "5 steps" */
    void (*describe)(const struct meta_model *, const struct meta_evaluation *, char *text, size_t size);
};

extern const struct meta_method meta_method_maml, meta_method_relation, meta_method_finetune, meta_method_knn, meta_method_svm;
extern const struct meta_method *const meta_methods[];                   /* all of them; the last is NULL */
const struct meta_method *meta_method_find(const char *name);            /* NULL: there is none of that name */

/* knn, svm: the layer whose output they take; -1: there is no layer before a [connected]. */
int meta_method_layer(const struct meta_model *, const struct meta_evaluation *);
/* For methods that know no pairs: refuses a network that pairs. */
int meta_method_refuse_pairs(const struct meta_method *, const struct meta_model *, struct meta_error *);

#endif
