/* Running a table: each cell that is wanted, with the trainings that it stands on. What there is
   to say goes to a listener; nothing here prints. */
#ifndef META_TABLE_GRID_H
#define META_TABLE_GRID_H

#include "base/lock.h"
#include "table_cost.h"
#include "table_process.h"

struct meta_grid;
/* What a grid tells while it runs. The grid's fields say which cell and which process it is
   about. */
struct meta_grid_listener {
    void (*begins)(const struct meta_grid *);  /* a process is about to begin */
    void (*goes_on)(const struct meta_grid *); /* the process runs */
    void (*ends)(const struct meta_grid *);    /* the process has ended, well or not */
    void (*warned)(const struct meta_grid *, const char *line); /* by the process; once a line */
    /* the cell has its result; -1 with a message when it can't be read */
    int (*tested)(const struct meta_grid *, struct meta_error *);
    /* A cell has failed, or the pairing of results. */
    void (*failed)(const struct meta_grid *, const struct meta_error *);
};

struct meta_grid {
    /* Set by the caller. */
    struct meta_table *table;
    const char *only;      /* label of the wanted row or family; NULL: all */
    int shots;             /* the wanted column; 0: all */
    int threads;           /* worker threads of each process */
    const char *program;   /* path of this program */
    const char *launcher;  /* as in struct meta_table_runner */
    struct meta_lock lock; /* fd -1: set by meta_grid_prepare */
    const struct meta_grid_listener *listener;
    double tick; /* seconds between calls of listener->goes_on */
    /* The process that runs, or ran last. */
    const struct meta_cell *cell;
    int number;                       /* of the cell, from 1 */
    const struct meta_recipe *recipe; /* the training; NULL: the test */
    int iterations_before;            /* of the training, when the process began */
    double begun;                     /* meta_now() then */
    double left;                      /* seconds that were left of the grid then */
    int unknown;                      /* trainings and tests that `left` has no estimate of */
    struct meta_table_costs costs;    /* as they were then */
    struct meta_table_runner runner;
};

/* Whether -only and -shots leave the row, and the cell: or one that is run and averaged with it. */
int meta_grid_wants_row(const struct meta_grid *, const struct meta_table_row *);
int meta_grid_wants(const struct meta_grid *, const struct meta_cell *);
/* What the cells cost, of those that are wanted. */
int meta_grid_costs(struct meta_grid *, struct meta_error *);

/* The estimate of a training. */
const struct meta_table_cost *meta_grid_cost(const struct meta_grid *, const struct meta_recipe *);
/* Seconds that are left of all that is wanted, each training counted once however many cells
   stand on it, by g->costs. *unknown: trainings and tests that have no estimate. */
double meta_grid_left(const struct meta_grid *, int *unknown);
/* Seconds of g->left that the running process has done by now. *iteration: how far its training
   is; 0 of a test. */
double meta_grid_spent(const struct meta_grid *, int *iteration);

/* Makes the table's folder, locks it, notes its images and writes the plan there; without the
   data, a plan that is there is kept. */
int meta_grid_prepare(struct meta_grid *, struct meta_error *);
/* Numbers of cells; a pairing of results that fails counts as one that failed. */
struct meta_grid_outcome {
    int wanted, done, failed;
};
/* Runs every wanted cell that has no result. A cell that fails does not keep the others from
   being run. 0, or the signal that asked for an end, after which g->cell is what was cut. */
int meta_grid_run(struct meta_grid *, struct meta_grid_outcome *);
/* Unlocks the folder and frees the costs; the table stays the caller's. */
void meta_grid_clear(struct meta_grid *);

#endif
