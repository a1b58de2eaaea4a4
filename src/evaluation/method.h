/* A method: how a test learns a task from its support images and scores its query images. All
   methods see the same tasks. method_NAME.c is one of them; methods.h lists them. */
#ifndef META_METHOD_H
#define META_METHOD_H

#include "base/digest.h"
#include "base/json.h"
#include "config/model.h"
#include "engine/backend.h"
#include "learning/flops.h"
#include "learning/inner_loop.h"
#include "stats/calibration.h"
#include "tasks/episode.h"

/* A test: its tasks and how each is learned. Task r is a function of (seed, r) alone, so that the
   first 30 of 1000 tasks are those of a test of 30, for any method and number of threads. */
struct meta_evaluation {
    struct meta_episode_settings episode; /* `tasks` is not used */
    int runs;                             /* tasks */
    uint64_t seed;
    uint32_t task; /* 0 or META_APART: test task r is drawn as this task of iteration r */
    const struct meta_method *method; /* NULL: the one that the network is made for */
    const void *settings;             /* as meta_method_settings makes them; NULL: the defaults */
    enum meta_bn bn;                  /* what normalises query images, if the method reads_bn */
    const struct meta_rates *rates; /* learned, for a method that takes inner steps; NULL: fixed */
    /* (network->statistics) BN's rolling ones, for a method that uses them. */
    const float *statistics;
    /* (more) further weights, backend vectors, each of which learns the task: the answer is the
       mean of all probabilities. */
    void *const *more_phi;
    int more;
    double temperature; /* of the probabilities that calibration figures are of; 0: 1 */
    /* (with_count) answers of other tests to the same tasks, (runs, ways*queries, ways) log-odds
       each: the answer is the mean of their probabilities and the method's, which has some. */
    double *const *with;
    int with_count;
    /* (1 + with_count) temperatures of the method's answers and of theirs before the mean; NULL:
       none. */
    const double *temper;
    int keep_answers; /* whether runs have `log_odds` */
    /* For a method that augments: the same list at the size that augmentation wants. */
    const struct meta_dataset *augmented;
};

/* `task` where training draws from the same list: no iteration of training has so many tasks, so
   that it never has the task that a test draws. */
#define META_APART (UINT32_C(1) << 31)

/* The result of one task. "Before" is with the meta-parameters as they are, and the same as "after"
   where meta_evaluation_learns does not hold; "after" is adapted to the support set. */
struct meta_run {
    int *classes; /* (ways) the data set's class of each label */
    double auc_before, auc_after, accuracy_before, accuracy_after;
    double auc_gain;   /* auc_after - auc_before: paired, so its error is smaller than theirs */
    double query_loss; /* after; NaN where the method has none */
    struct meta_calibration calibration; /* after; of a method whose scores are probabilities */
    /* (ways*queries, ways) of the probabilities after adaptation, without a temperature; NULL where
       they are not kept. */
    double *log_odds;
    /* (points) the mean support loss of the epochs since the point before, NaN at the first, and
       the AUC after that epoch; NULL for a method without a curve. */
    double *curve_loss, *curve_auc;
    /* (ways*(ways-1)/2) meta_auc_pair of labels (0,1), (0,2)... (1,2)... */
    double *pairs_before, *pairs_after;
    /* Two classes: meta_ranks after adaptation by class 1's score; else NULL. */
    char *ranks;
    /* More than two: (META_ROC_POINTS) meta_roc_task after adaptation; else NULL. */
    double *roc;
    int *wins; /* (ways*queries) meta_auc_wins of the query images, after adaptation */
    struct meta_digest images; /* of support and query images, in order; tells tasks apart */
    int failed;                /* the outputs after adaptation were not numbers */
};

/* A flag of `meta test` that sets a number of the method's settings. Methods that share a flag have
   equal rows. */
struct meta_method_flag {
    const char *name, *value_name; /* "-steps", "N" */
    const char *help;              /* begins with the methods: "maml: steps of ..." */
    size_t offset;                 /* in the settings: an int, or a double when `real` */
    int real;
    double least, most;
};

/* What one thread's state of a method is created from; it outlives the state. */
struct meta_method_context {
    const struct meta_model *model;
    const struct meta_backend *backend;
    const struct meta_evaluation *evaluation; /* its `method` and `settings` are not NULL */
};

struct meta_method_task {
    struct meta_task task; /* `iteration` is the number of the task in the test */
    const struct meta_episode *episode;
    const void *phi; /* the weights, a backend vector; NULL of a method without */
};

struct meta_method {
    const char *name;
    enum meta_purpose purpose; /* what its .cfg must be made for: META_FOR_TASKS or META_FOR_ANY */
    int pairs;            /* needs a network that pairs by the section of the method's name; the
                             others refuse one */
    int weightless;       /* reads no weights: meta_method_task has no phi */
    int probabilities;    /* its scores are log-odds of probabilities that add up to 1 */
    int learns;           /* there is something to score before it has learned the task */
    int reads_bn;         /* -bn has an effect */
    int reads_rates;      /* it takes the steps of [inner_loop]: asks for learned `rates` */
    int tempers;          /* `meta calibrate` learns temperatures of its answers */
    size_t settings_size; /* bytes of its settings, 0: it has none */
    const struct meta_method_flag *flags; /* ends with a row without a name; NULL: it has none */
    /* Fills in the settings, which are zeros, for tasks of this episode. NULL: zeros they stay. */
    void (*defaults)(void *settings, const struct meta_model *,
                     const struct meta_episode_settings *);
    /* Whether it can work on this network with these settings: refuses with file, line and what is
       allowed. NULL: it can. */
    int (*check)(const struct meta_model *, const struct meta_evaluation *, struct meta_error *);
    /* Writes what it does in a few words: "5 steps". */
    void (*describe)(const struct meta_model *, const struct meta_evaluation *, char *text,
                     size_t size);
    /* Adds its settings to those of the result's file. NULL: it has none. */
    void (*add_settings)(cJSON *settings, const struct meta_model *,
                         const struct meta_evaluation *);
    /* Whether it asks for `augmented`. NULL: it does not. */
    int (*augments)(const struct meta_model *, const void *settings);
    /* How many epochs its curve is over. NULL: it has no curve. */
    int (*curve_epochs)(const void *settings);
    /* Floating-point operations of a task. NULL: one forward pass of every image. */
    double (*flops)(const struct meta_flops *, const struct meta_evaluation *);
    /* The state of one thread; allocates all that run needs, but for what OpenCV allocates. free
       takes what a failed create left. */
    int (*create)(void **state, const struct meta_method_context *, struct meta_error *);
    void (*free)(void *state);
    /* Scores (query images, ways) before and after, higher for likelier: they must rank the images
       by each class, as log-odds do and rounded probabilities don't. query_loss and the curve of
       *run, where it has them. `before` is of no interest where the method does not learn. */
    int (*run)(void *state, const struct meta_method_task *, double *before, double *after,
               struct meta_run *run, struct meta_error *);
};

#endif
