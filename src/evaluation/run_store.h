/* The memory of the results of all tasks: what each struct meta_run points to lies in arrays of one
   part a task, so that ranks can give each other their parts. */
#ifndef META_RUN_STORE_H
#define META_RUN_STORE_H

#include "method.h"
#include "transport/transport.h"

/* Zeroed, it has no memory. */
struct meta_run_store {
    const struct meta_evaluation *evaluation; /* the caller's; its method and settings are set */
    struct meta_run *runs;                    /* (runs) */
    int *classes;                             /* (runs, ways) */
    double *pairs;                            /* (runs, 2, pairs) */
    int *wins;                                /* (runs, ways*queries) */
    double *rocs;     /* (runs, META_ROC_POINTS), of more classes than two */
    char *ranks;      /* (runs, 2*ways*queries + 1), of two classes */
    double *curves;   /* (runs, 2, points) or NULL */
    double *log_odds; /* (runs, ways*queries, ways) or NULL */
};
/* Allocates it, all of it 0. The caller clears, also after a failure. */
int meta_run_store_create(struct meta_run_store *, const struct meta_evaluation *,
                          struct meta_error *);
void meta_run_store_clear(struct meta_run_store *);
/* Gives every rank the results of all tasks, of which each has its own (meta_part_own). */
int meta_run_store_gather(struct meta_run_store *, struct meta_transport *, struct meta_error *);

#endif
