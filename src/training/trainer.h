/* A training run: what it is made of, its step, and its files. Prints nothing. Meta-training on tasks and supervised training on images
   differ in what a batch is and in what is watched of the valid list; the rest is one. */
#ifndef META_TRAINER_H
#define META_TRAINER_H

#include "checkpoint.h"
#include "tasks/curriculum.h"
#include "evaluation/evaluate.h"
#include "fingerprint.h"
#include "evaluation/holdout.h"
#include "learning/outer_loop.h"
#include "train_log.h"
#include "stats/estimate.h"

/* What a run does unless it is told otherwise. */
#define META_VALID_EVERY 250
#define META_VALID_RUNS 100
/* Iterations made ahead of use, and the threads that make them. */
#define META_AHEAD 3
#define META_LOADERS(threads) (((threads) + 1) / 2)

struct meta_training {
    enum meta_run_kind kind;
    const char *data, *cfg;
    const char *weights;           /* to start from; NULL: Darknet's initial weights, drawn from `seed` */
    const struct meta_backend *backend;
    uint64_t seed;
    int threads;
    int clear;                     /* with weights: as if they had seen nothing */
    int resume;                    /* from NAME.state */
    const char *fork;              /* from this .state of another run, which only [meta_loss] tells apart, and has not yet; or NULL */
    int max_batches;               /* 0: [net]'s */
    int valid_every, valid_runs;   /* valid_every=0: the valid list is not read */
    int valid_asked;               /* it was asked for: having none is an error */
};

struct meta_trainer {
    struct meta_training settings;
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool, *task_pool;        /* of `threads`; of no more than a meta-iteration has tasks */
    struct meta_dataset *train, *valid;        /* valid: NULL when it is not watched */
    struct meta_sampler *sampler;              /* NULL with images */
    int *outputs;                              /* of images: (classes of the .data file) the network's output for each, -1: not trained */
    struct meta_curriculum *curriculum;        /* NULL with sampler=uniform */
    struct meta_stream *stream;
    const struct meta_batch **batches;         /* (tasks) of the iteration in progress */
    int tasks;                                 /* of an iteration; of images: the parts of a mini-batch */
    struct meta_outer *outer;
    struct meta_evaluator *evaluator;          /* of the valid list, or NULL; with images: */
    struct meta_holdout *holdout;              /* likewise */
    struct meta_log log;
    uint64_t done, total;                      /* meta-iterations; Darknet's batch number and max_batches */
    uint64_t seen, images;                     /* images seen; of one meta-iteration */
    uint64_t weighed;                          /* see checkpoint.h */
    uint64_t aside;                            /* the iteration of another run's NAME.state that is NAME.state.old now; 0: none */
    char *folder;                              /* `backup`, without a slash at its end */
    char *state_path, *backup_path, *final_path, *log_path, *chart_path;
    char *fingerprint;
    char was[META_INSTRUCTIONS], is[META_INSTRUCTIONS];    /* of a checkpoint that was made by another instruction set; else "" */
    void *state;                               /* of the outer loop, then of the curriculum */
    size_t state_size;
    float *parameters, *statistics;            /* what is written as .weights */
    double waited;                             /* seconds, for images */
};

/* Reads and checks everything: an error here leaves no file behind. The `test` list is not touched. The caller frees. */
int  meta_trainer_open(struct meta_trainer **, const struct meta_training *, struct meta_error *);
void meta_trainer_free(struct meta_trainer *);

/* One iteration; fills all of *row but what is of the valid list. */
int  meta_trainer_step(struct meta_trainer *, struct meta_row *row, struct meta_error *);

/* Whether the valid list is watched; how many steps of `progress` that takes (tasks, or images); and doing it, into the rest of *row.
   Returns the estimate in full. */
int  meta_trainer_watches(const struct meta_trainer *);
int  meta_trainer_valid_steps(const struct meta_trainer *);
struct meta_estimate meta_trainer_watch(struct meta_trainer *, struct meta_row *row, void (*progress)(void *context, int done), void *context);

/* NAME.state, then NAME.backup. Each is replaced whole or stays as it was. */
int  meta_trainer_save(struct meta_trainer *, struct meta_error *);
/* The .weights alone, as NAME_1000.weights or NAME_final.weights. */
int  meta_trainer_save_weights(struct meta_trainer *, const char *path, struct meta_error *);

#endif
