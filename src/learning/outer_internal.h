/* What an outer loop holds, and what its files ask of each other. */
#ifndef META_OUTER_INTERNAL_H
#define META_OUTER_INTERNAL_H

#include <stdatomic.h>

#include "exchange.h"
#include "outer_loop.h"
#include "sites.h"

/* What a rank tells the others of each of its tasks; the task's statistics lie behind it. */
struct told {
    double query_loss, loss, meta_loss, weight, accuracy, auc;
    int word, failed;
};

struct meta_outer {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    struct meta_transport *transport;
    struct meta_exchange *exchange; /* with several ranks that send the gradients of their tasks */
    const struct meta_federation *federation; /* NULL: ranks are not sites */
    struct meta_sites *sites; /* with sites that send one vector each: exchange is NULL */
    uint64_t seed;
    int tasks, workers;
    int begin, end;             /* the tasks of this rank */
    int known_begin, known_end; /* those whose results it knows: all, or with `sites` its own */
    struct meta_inner inner;
    struct meta_worker **worker; /* (workers) */
    struct meta_optimiser *optimiser;
    struct meta_learned_rates *rates; /* NULL: fixed */
    void *phi;                        /* (parameters) backend vector */
    void **gradient;   /* (tasks) backend vectors, by the parameters and behind by the rates: of the
                          rank's own tasks, of the first for the mean, else NULL */
    size_t numbers;    /* of a gradient */
    float *rolling;    /* (statistics) */
    float *statistics; /* (tasks, statistics) */
    struct meta_task_result *results; /* (tasks) */
    size_t outputs;                   /* scores of one task: query images times ways */
    double *scores;                   /* (tasks, outputs) of the query images */
    double *auc;                      /* (tasks) */
    int normalises;  /* [meta_loss] normalise=1: workers leave gradients unweighed */
    double *weight;  /* (tasks) with normalise=1 */
    double *share;   /* (tasks) with normalise=1: the weights divided by their mean */
    int mean_failed; /* what meta_weigh_shares returned */
    char *records;   /* (tasks, record) with ranks: a struct told and (statistics) of each */
    size_t record;   /* bytes */
    void *start; /* (numbers) backend vector, with META_FEDERATED_AVERAGE: what all sites had after
                    the last mean, by the parameters and behind by the rates */
    char *met;   /* (sites, met_record) with `sites`: a struct met and (statistics) of each */
    size_t met_record; /* bytes */
    float *mean;       /* (statistics) over sites */
    atomic_int word;
    const struct meta_batch *const *batches; /* of the step in progress */
    uint64_t iteration;
};

/* outer_sites.c */
/* To be called when tasks are shared out: what sites need beside their tasks. */
int meta_outer_open_sites(struct meta_outer *, struct meta_error *);
void meta_outer_close_sites(struct meta_outer *);
/* Makes each site count as its share says, where the gradients of single tasks are added up. */
void meta_outer_share_gradients(struct meta_outer *);
/* With `sites`: makes gradient[0] the mean of this site's own, and where gradients meet in each
   iteration that of all sites. *word is the greatest that a site has said, 0 where none was
   asked. */
int meta_outer_mean_of_sites(struct meta_outer *, int *word, struct meta_error *);

#endif
