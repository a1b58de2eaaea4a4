/* How long what is left of a table will take. */
#ifndef META_TABLE_COST_H
#define META_TABLE_COST_H

#include "table_model.h"

/* Where an estimate comes from. */
enum meta_table_basis {
    META_BASIS_DONE,   /* nothing is left to do */
    META_BASIS_NONE,   /* there is nothing to estimate by */
    META_BASIS_OWN,    /* the log of this very training */
    META_BASIS_OTHERS, /* logs or results of others of the table, by arithmetic */
    META_BASIS_PEAK    /* arithmetic alone, at a share of this machine's peak */
};
/* The share of the peak with META_BASIS_PEAK: less than `meta bench` shows of 4 convolutions. */
#define META_TABLE_SHARE .9

/* flops: floating-point operations that are left. */
struct meta_table_cost {
    double seconds, flops;
    enum meta_table_basis basis;
};
struct meta_table_costs {
    double peak;                      /* measured operations a second; 0: not yet needed */
    struct meta_table_cost *training; /* (recipes) what is left of each */
    struct meta_table_cost *test;     /* (cells) */
};
/* Estimates what is left to do on `threads` threads. costs: zeroes, or an earlier estimate,
   whose peak is kept. The caller frees. */
int meta_table_costs(struct meta_table_costs *costs, const struct meta_table *, int threads,
                     struct meta_error *);
void meta_table_costs_free(struct meta_table_costs *costs);

#endif
