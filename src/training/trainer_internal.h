/* What a trainer holds, and what its files ask of each other. */
#ifndef META_TRAINER_INTERNAL_H
#define META_TRAINER_INTERNAL_H

#include "average.h"
#include "base/lock.h"
#include "checkpoint.h"
#include "evaluation/evaluate.h"
#include "evaluation/holdout.h"
#include "fingerprint.h"
#include "learning/outer_loop.h"
#include "tasks/curriculum.h"
#include "tasks/stream.h"
#include "sent.h"
#include "trainer.h"

#include <pthread.h>
#include <stdatomic.h>

struct meta_trainer {
    struct meta_training_settings settings;
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool;             /* of settings.threads */
    struct meta_pool *task_pool;        /* of no more threads than an iteration has tasks */
    struct meta_dataset *train, *valid; /* valid: NULL when it is not watched */
    struct meta_sampler *sampler;       /* NULL with images */
    int *outputs; /* with images: (classes of the .data file) the network's output for each
                     class; -1: it is not trained */
    struct meta_curriculum *curriculum; /* NULL with sampler=uniform */
    struct meta_stream *stream;
    const struct meta_batch **batches; /* (tasks) of the iteration in progress */
    int tasks;                         /* of an iteration; with images: the parts of a mini-batch */
    struct meta_outer *outer;
    struct meta_average *average;     /* NULL with average=0 */
    struct meta_evaluator *evaluator; /* of the valid list with tasks, or NULL */
    struct meta_holdout *holdout;     /* of the valid list with images, or NULL */
    pthread_mutex_t lock; /* guards what a checkpoint holds, and the log: meta_trainer_save_new may
                             come from another thread */
    int broken;           /* an iteration has failed: nothing is saved any more */
    uint64_t saved;       /* the iteration of the last checkpoint; UINT64_MAX: none yet */
    struct meta_lock running; /* NAME.lock */
    int old_final; /* NAME_final.weights are of an earlier end of the training that is resumed */
    struct meta_log log, lines; /* lines.path NULL: there is no log of JSON lines */
    int log_failed;             /* what meta_trainer_log_failed is to say: log_error */
    struct meta_error log_error;
    struct meta_row best; /* the row of NAME_best.weights; iteration 0: there are none */
    int best_failed;      /* what meta_trainer_best_failed is to say: best_error */
    struct meta_error best_error;
    int remeasured;          /* NAME.state tells of another measure of the valid list */
    uint64_t measured_since; /* rows after this iteration have figures of the valid list as it is
                                watched now */
    struct meta_error anew;  /* what meta_trainer_best_anew returns */
    uint64_t first;          /* the iterations that were done before */
    uint64_t done, total;    /* iterations */
    uint64_t seen, images;   /* images seen so far; images of one iteration */
    uint64_t weighed;        /* as in checkpoint.h */
    uint32_t updates;        /* batches that have moved the rolling statistics, as in weights.h */
    int layers_read;         /* what meta_trainer_layers_read returns */
    char *name;              /* of the files, without what follows it */
    char *kept;              /* as meta_trainer_kept says, with its iteration */
    uint64_t kept_iteration;
    char *folder; /* `backup`, without a slash at its end */
    char *path[META_TRAINING_FILES];
    char *fingerprint;
    char *measured;              /* that line of the checkpoint that is resumed; NULL: none */
    char *common;                /* of sites: without its lines of data; NULL of others */
    char was[META_INSTRUCTIONS]; /* instruction set of a checkpoint that another one made, and ours;
                                    else "" */
    char now[META_INSTRUCTIONS];
    void *state; /* (state_size) those of the average, the outer loop and the curriculum */
    size_t state_size;
    float *parameters, *statistics; /* what is written as .weights */
    float *rates;                   /* (rate_numbers) what is written as .rates; NULL: fixed */
    size_t rate_numbers;
    float *watched;   /* (statistics) corrected, by which the valid list is watched */
    double waited;    /* seconds, for images */
    atomic_int asked; /* what meta_trainer_asked returns */
    int valid_missed; /* of the iteration that the training goes on from */
    /* of a site; NULL and 0 of others */
    struct meta_sent *sent;
    uint64_t met;        /* the iteration after which all sites had the same parameters last */
    uint64_t saved_met;  /* that of NAME.state; UINT64_MAX: there is none */
    uint64_t unrecorded; /* vectors that left the site and are not in NAME_sent.csv */
    uint64_t vectors;    /* that a checkpoint says have left the site */
    int goes_back;       /* the training goes on from NAME_before.state */
};

static inline int meta_trainer_federated(const struct meta_trainer *t)
{
    return t->settings.federation.mode != META_NOT_FEDERATED;
}

/* Whether iterations are a site's own, and parameters meet. */
static inline int meta_trainer_averages(const struct meta_trainer *t)
{
    return t->settings.federation.mode == META_FEDERATED_AVERAGE;
}

static inline int meta_trainer_of_images(const struct meta_trainer *t)
{
    return t->settings.kind == META_TRAINING_IMAGES;
}

/* trainer_ranks.c; all ranks call these, in this order. */
/* What rank 0 has read to start from becomes that of all ranks. `status` is that of reading. */
int meta_trainer_share_start(struct meta_trainer *, struct meta_checkpoint *, int status,
                             struct meta_error *);
/* Fails where the ranks' programs, .cfg files or data differ. `status` is that of all before. */
int meta_trainer_compare_ranks(struct meta_trainer *, int status, struct meta_error *);
/* Fails where a rank has failed to open. */
int meta_trainer_share_open(struct meta_trainer *, int status, struct meta_error *);

/* trainer_sites.c; where ranks are no sites these do nothing. */
/* Fails where the training can't be one of sites. */
int meta_trainer_check_sites(const struct meta_trainer *, struct meta_error *);
size_t meta_trainer_site_bytes(const struct meta_trainer *); /* at the front of t->state */
void meta_trainer_site_save(struct meta_trainer *);          /* fills them */
/* The checkpoint that a site of its own has. */
int meta_trainer_read_site(struct meta_trainer *, struct meta_checkpoint *, struct meta_error *);
/* The weights of rank 0 become those of all; of checkpoints each site takes its own of the last
   meeting that all have one of. */
int meta_trainer_share_sites(struct meta_trainer *, struct meta_checkpoint *, struct meta_error *);
/* Gives the checkpoint that was there the name NAME_before.state, where sites have met since. */
int meta_trainer_keep_before(struct meta_trainer *, struct meta_error *);
/* Gives that one the name NAME.state again, where the training goes on from it. */
int meta_trainer_go_back(const struct meta_trainer *, struct meta_error *);
int meta_trainer_open_record(struct meta_trainer *, struct meta_error *);
/* Has the sites meet, where it is due. */
int meta_trainer_meet(struct meta_trainer *, struct meta_error *);

/* trainer_files.c */
int meta_trainer_name_files(struct meta_trainer *, struct meta_error *);
/* Makes the backup folder, where it is missing, and checks that it can be written to. */
int meta_trainer_check_folder(const struct meta_trainer *, struct meta_error *);
/* Takes the lock, keeps what a training of this name left, or drops it, and begins or continues the
   log. */
int meta_trainer_open_log(struct meta_trainer *, struct meta_error *);

/* trainer_kept.c */
/* Gives the files of the training that was there the name "NAME.N" of the next free N, so that it
   is a training of that name; with `overwrite` removes them. To be called with the lock. */
int meta_trainer_keep(struct meta_trainer *, struct meta_error *);
/* Does what is left of that where a training was killed over it. */
int meta_trainer_finish_keeping(struct meta_trainer *, struct meta_error *);

/* trainer_best.c */
/* Writes NAME_best.weights when the row's figure of the valid list is better than those before, and
   the row is then t->best. To be called before the log has the figure: a run that is killed in
   between watches again. */
void meta_trainer_keep_best(struct meta_trainer *, const struct meta_row *);
/* Which row the NAME_best.weights that are there belong to, for a training that is resumed. again:
   the iteration that it goes on from is still to be watched. */
void meta_trainer_find_best(struct meta_trainer *, int again);

/* trainer_measure.c */
/* Adds to the fingerprint what the figures of the valid list are of and, where the checkpoint has
   other words of it and the log has figures, since when: what was found the best by those is
   nothing to compare with. To be called once the log is read. */
int meta_trainer_measure(struct meta_trainer *, struct meta_error *);

/* trainer_weights.c */
/* Adds the weights, as they are now, to the average. */
void meta_trainer_add_to_average(struct meta_trainer *);
/* The .weights alone, as they are now. The caller holds the lock. */
int meta_trainer_write_weights(struct meta_trainer *, const char *path, struct meta_error *);
/* NAME_average.weights, where the weights are averaged. The caller holds the lock. */
int meta_trainer_write_average(struct meta_trainer *, struct meta_error *);
/* Removes the temperatures beside weights that go or are replaced: they are of no others. */
void meta_trainer_remove_temperatures(const char *weights);

/* trainer_resume.c */
/* Bytes of a checkpoint's state. */
size_t meta_trainer_state_bytes(const struct meta_trainer *);
/* What to go on from: the checkpoint into *checkpoint; into parameters and statistics Darknet's
   initial weights, and over them what the .weights file has. */
int meta_trainer_read_start(struct meta_trainer *, struct meta_checkpoint *checkpoint,
                            struct meta_error *);
/* Puts the parameters, and all else that a checkpoint holds, where the next iteration takes them
   from. */
int meta_trainer_start(struct meta_trainer *, const struct meta_checkpoint *, struct meta_error *);

#endif
