/* Episodes into AUCs: draws tasks from a list, learns each by a method, and scores its query images. */
#ifndef META_EVALUATE_H
#define META_EVALUATE_H

#include "stats/auc.h"
#include "tasks/batch.h"
#include "by_group.h"
#include "base/pool.h"

/* No iteration of training has so many tasks: what is drawn as this one never is a task of training. */
#define META_APART (UINT32_C(1) << 31)

/* The tasks: run r is a function of (seed, r) alone, so that the first 30 of 1000 are the 30, for any method and threads. */
struct meta_evaluation {
    struct meta_episode_settings episode;      /* `tasks` is not used */
    int steps;                                 /* of the inner loop */
    double learning_rate;                      /* gamma */
    int runs;
    uint64_t seed;
    uint32_t task;                             /* of iteration r that run r is: META_APART where training draws from the same list */
    const struct meta_method *method;          /* see method.h; NULL: maml */
    const float *statistics;                   /* (network->statistics) BN's rolling ones, the caller's: knn, svm, META_BN_RUNNING */
    const struct meta_dataset *augmented;      /* finetune: the same list at the size that augmentation wants */
    int epochs;                                /* finetune */
    double rate;                               /* finetune: of [net]'s optimiser */
    int layer;                                 /* knn, svm: whose output is taken, counted from 0; -1: the input of the last [connected] */
    int neighbours;                            /* knn */
    enum meta_bn bn;                           /* maml, relation: what normalises the query images, before and after */
};

#define META_EPOCHS 50      /* of finetune, where none are asked for */

/* A curve of an epoch's support loss and of the query AUC after it: at epoch 0, before any, then at 25 places or all. */
int meta_curve_points(int epochs);
int meta_curve_epoch(int epochs, int point);

/* Before: with the meta-parameters as they are, of a method that learns no task the same as after. After: adapted to the support set. */
struct meta_run {
    int *classes;               /* (ways) the data set's class of each label */
    double auc_before, auc_after, accuracy_before, accuracy_after;
    double auc_gain;            /* auc_after - auc_before: paired, so its error is smaller than theirs */
    double query_loss;          /* after; NaN where the method has none */
    double *curve_loss;         /* (points) of finetune: the mean support loss of the epochs since the point before; NaN at the first */
    double *curve_auc;          /* (points) after that epoch; both NULL of another method */
    double *pairs_before, *pairs_after;   /* (ways*(ways-1)/2) meta_auc_pair of labels (0,1), (0,2)... (1,2)... */
    char *ranks;                /* of two classes: meta_ranks after adaptation by class 1's probability; else NULL */
    uint32_t images;            /* CRC-32 of the paths of its support and query images: which task this is */
    int failed;                 /* the outputs after adaptation were not numbers */
};

struct meta_evaluator;
/* Allocates all that running needs, one workspace a thread of the pool. Model, backend, pool and data set must outlive it. Fails
   when a class is too small for the tasks. The caller frees. */
int  meta_evaluator_create(struct meta_evaluator **, const struct meta_model *, const struct meta_backend *, struct meta_pool *,
                           const struct meta_dataset *, const struct meta_evaluation *, struct meta_error *);
void meta_evaluator_free(struct meta_evaluator *);

/* Runs every task with meta-parameters phi (a backend vector); (runs) results, valid until the next call. `progress` may be
   NULL; it is called from the caller's thread or others', one at a time, with the number of tasks done. */
const struct meta_run *meta_evaluator_run(struct meta_evaluator *, const void *phi,
                                          void (*progress)(void *context, int done), void *context);
/* Which query images, by groups, the AUCs after adaptation of the last run rest on. The caller clears. */
int  meta_evaluator_groups(struct meta_by_group *, const struct meta_evaluator *, struct meta_error *);
/* 0, or -1 with the message of the first task of the last run that its method had no memory for: then the results are of no use. */
int meta_evaluator_status(const struct meta_evaluator *, struct meta_error *);

#endif
