/* A meta-iteration: every task's meta-gradient on the workers of a pool, their mean, and the
   optimiser's step. The result is a function of the meta-parameters, the tasks and the iteration,
   not of the number of threads.

   With a model for images an iteration is one of supervised training: its tasks are the
   subdivisions of a mini-batch, as in Darknet, each a batch with query images only, whose loss is
   that of the parameters as they are. */
#ifndef META_OUTER_LOOP_H
#define META_OUTER_LOOP_H

#include "inner_loop.h"
#include "tasks/batch.h"
#include "config/model.h"
#include "federation.h"
#include "learned_rates.h"
#include "optimiser.h"
#include "base/pool.h"
#include "transport/transport.h"

struct meta_outer;

/* Means over the tasks of the iteration. gradient_norm is that of the meta-gradient before
   clipping; weighed: the weight of some task was not 1. */
struct meta_outer_result {
    double meta_loss, query_loss, accuracy, gradient_norm;
    int weighed;
    int word; /* the greatest of all ranks' meta_outer_say */
    /* Seconds of the gradient: of this rank's tasks, until the results of all others are there,
       and of the sum of all gradients, with what ranks send each other for it. */
    double computing, waiting, exchange;
};

/* What a meta-iteration is computed by; all of it must outlive the outer loop. */
struct meta_outer_parts {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    uint64_t seed;                            /* a key of dropout */
    struct meta_transport *transport;         /* with more than one rank each computes its own tasks
                                                 (meta_part_own); NULL: this process does all */
    const struct meta_federation *federation; /* the ranks are sites; NULL: they are not */
};

/* Allocates everything that a step needs: steps allocate nothing. Meta-parameters and statistics
   are 0 until upload or load. Each thread of the pool gets a worker: more threads than tasks are of
   no use. The caller frees. */
int meta_outer_create(struct meta_outer **, const struct meta_outer_parts *, struct meta_error *);
void meta_outer_free(struct meta_outer *);
size_t meta_outer_worker_bytes(const struct meta_outer *); /* memory of all workers */
/* meta_program_slow_layer of the workers' programs. */
int meta_outer_slow_layer(const struct meta_outer *, const char **implementation);

/* What ranks send each other: numbers of a task's gradient, and bytes that are told of a task. */
size_t meta_outer_numbers(const struct meta_outer *);
size_t meta_outer_record(const struct meta_outer *);

/* Does one meta-iteration on *batches[0..tasks-1], in two parts: the first changes nothing that a
   checkpoint holds. Gradients are summed in the order of the tasks. With several ranks each needs
   the batches of its own tasks alone, and all of them get the same sums; it fails where one of them
   is lost, or a pass of a task failed on one of them. */
int meta_outer_gradient(struct meta_outer *, const struct meta_batch *const *batches,
                        uint64_t iteration, struct meta_outer_result *, struct meta_error *);
/* A number that goes with the next gradient, so that all ranks hear of it at the same iteration; 0
   until it is said. May be called from another thread. */
void meta_outer_say(struct meta_outer *, int word);
/* The second part: the optimiser's step, and rolling statistics moved by each task
   (network/rolling.h), in the order of the tasks. Fails when a pass of a task failed, or a task's
   weight, its meta-loss or the meta-gradient is not finite, with meta-parameters and optimiser as
   they were; and when what the update has left is not (finite.h). */
int meta_outer_update(struct meta_outer *, double rate, struct meta_outer_result *,
                      struct meta_error *);
/* Both parts. */
int meta_outer_step(struct meta_outer *, const struct meta_batch *const *batches,
                    uint64_t iteration, double rate, struct meta_outer_result *,
                    struct meta_error *);
/* With META_FEDERATED_AVERAGE an iteration is one of this site alone, and these two make of what
   the sites have come to since the last mean the next. The first changes nothing that a checkpoint
   holds; `batches` are those that have moved the statistics, *word is the greatest of all sites'
   meta_outer_say. Parameters and learned rates become what all sites began with, moved by the mean
   of what has become of them; the optimiser's moments stay each site's own. Statistics become the
   mean of those corrected, which are used as they are (1 is returned), or are the site's own where
   it is protected (0). */
int meta_outer_meet(struct meta_outer *, uint32_t batches, int *word, struct meta_error *);
int meta_outer_met(struct meta_outer *, struct meta_error *);
/* Makes what stands there now what all sites begin with: after upload and the rates are set. */
void meta_outer_begin(struct meta_outer *);
/* Fails when meta-parameters, optimiser or statistics are not finite (finite.h). */
int meta_outer_check(const struct meta_outer *, struct meta_error *);

/* How many tasks of an iteration this rank has the results of, by which its statistics move: all,
   or those of its own where sites keep their results to themselves. */
int meta_outer_known(const struct meta_outer *);
/* (tasks) the AUC of each task's query images in the last step, after adaptation. */
const double *meta_outer_auc(const struct meta_outer *);
const void *meta_outer_parameters(const struct meta_outer *);           /* a backend vector */
struct meta_learned_rates *meta_outer_rates(const struct meta_outer *); /* NULL: fixed */
const float *meta_outer_statistics(const struct meta_outer *); /* (network->statistics) rolling */
/* parameters (network->parameters), statistics (network->statistics). Upload before the first step:
   the optimiser stays as it is. */
void meta_outer_upload(struct meta_outer *, const float *parameters, const float *statistics);
void meta_outer_download(const struct meta_outer *, float *parameters, float *statistics);

/* What the next step depends on besides the tasks, bit for bit, for a checkpoint. */
size_t meta_outer_bytes(const struct meta_outer *);
void meta_outer_save(const struct meta_outer *, void *out);
void meta_outer_load(struct meta_outer *, const void *in);

#endif
