/* A table of a paper as a file: rows (a method, a network, how it is trained) by numbers of shots. Every cell is one test on the
   tasks that all cells share; trainings that are the same are one. */
#ifndef META_TABLE_H
#define META_TABLE_H

#include <stdint.h>
#include "base/error.h"

/* In the order of meta_methods */
enum meta_row_method { META_ROW_MAML, META_ROW_FINETUNE, META_ROW_KNN, META_ROW_SVM, META_ROW_RELATION };
enum meta_table_training { META_TABLE_NONE, META_TABLE_TRAIN, META_TABLE_PRETRAIN };

/* [row]. One with several seeds is a row for each: a family. */
struct meta_table_row {
    char *label, *cfg, *weights;   /* of a family: LABEL, seed N */
    char *family;                  /* LABEL; NULL: it is the only one */
    int method, train;             /* enum meta_row_method, enum meta_table_training */
    int each;                      /* not 0: a training for each number of shots, which replaces the .cfg's */
    int seed, nth;                 /* of the training, -1: the table's; its place in its family, from 0 */
    int epochs;                    /* META_ROW_FINETUNE; 0: the program's */
    struct meta_list seeds;        /* as the file has them */
    struct meta_list shots, paper; /* paper: a figure for each of shots, in percent; none: count 0 */
    int line;
    /* of the .cfg */
    int ways, queries, iterations;
    int own_shots;                 /* [episode] shots, 0 without the section */
    int unweighed;                 /* see struct meta_recipe */
};

/* A training that one or more cells stand on. Its files lie in a folder of its own, named after the .cfg and its key. */
struct meta_recipe {
    const struct meta_table_row *row;      /* the first that has it */
    int shots;                             /* in place of the .cfg's; 0: those */
    uint64_t seed;
    char *key;                             /* what its weights depend on, in lines what=value */
    char *folder, *cfg, *data;             /* the folder; the .cfg and the .data file there that it is run with */
    char *state, *csv, *final, *log, *usage;
    int total;                             /* iterations */
    int unweighed;                         /* of them, those before its [meta_loss] weighs a task; 0: it has none to share */
    struct meta_recipe *beginning;         /* which it forks: shared with others, and may have one itself; NULL: none */
    int begins;                            /* it is such a beginning */
    int failed;                            /* this time */
};

struct meta_cell {
    const struct meta_table_row *row;
    int shots;
    double paper;                          /* NaN: it has no figure */
    struct meta_recipe *recipe;            /* NULL: weights are given */
    char *key;                             /* what its result depends on; NULL when the data are not there */
    uint32_t id;                           /* of the key: a CRC-32 */
    char *name;                            /* of its result, without folder */
    char *file, *log;
    int failed;                            /* this time */
};

struct meta_table {
    char *path, *slug;                     /* the file; its name without folder and .table */
    char *folder;                          /* where everything goes */
    /* [table] */
    char *name, *data, *reference, *needs;
    int seed, runs, first, valid_every;
    int ready;                             /* the data are there */
    int watched;                           /* and have a valid list */
    int row_count, recipe_count, cell_count, column_count;
    struct meta_table_row *rows;
    struct meta_recipe *recipes;           /* the cells', then what some of them begin with */
    struct meta_cell *cells;               /* in the order they are run: column by column, in it every row's first seed, then the second ones */
    int *columns;                          /* numbers of shots, ascending */
};

/* Reads and checks FILE and every .cfg it names. data: in place of the file's, or NULL. When the data are not there, needs= says what
   they are; without it that is an error. Writes nothing. The caller frees. */
int  meta_table_read(struct meta_table **, const char *path, const char *folder, const char *data, struct meta_error *);
void meta_table_free(struct meta_table *);

const char *meta_row_method_name(int method);
const char *meta_table_training_name(int train);
struct meta_model;
/* The row's .cfg as its training takes it. The caller frees. */
int meta_row_model(struct meta_model **, const struct meta_table_row *, struct meta_error *);
uint64_t    meta_table_seed(const struct meta_table *, const struct meta_table_row *);     /* of a row's training */
/* Whether that is its label, or its family's. */
int         meta_row_is(const struct meta_table_row *, const char *label);
/* The cell that another is paired with: the reference's of as many shots; of a family the one of the same seed. NULL: none, or it is one itself. */
const struct meta_cell *meta_table_reference(const struct meta_table *, const struct meta_cell *);
/* Names a recipe's folder and files, after its .cfg and key. */
int meta_recipe_name(const struct meta_table *, struct meta_recipe *, struct meta_error *);

/* ---- keys (table_key.c) ---- */

/* The key of a training; of a test, on top of its training's. The caller frees *key. */
int meta_table_recipe_key(char **key, const struct meta_table *, const struct meta_table_row *, int shots, struct meta_error *);
int meta_table_cell_key(char **key, const struct meta_table *, const struct meta_cell *, struct meta_error *);
/* Of a training's first iterations, as long as [meta_loss] has no say. */
int meta_table_beginning_key(char **key, const struct meta_recipe *, int iterations, struct meta_error *);
/* Whether what the key was made of is still the same: a table may be run for days. 0, or -1 with the message. */
int meta_recipe_unchanged(const struct meta_table *, const struct meta_recipe *, struct meta_error *);
int meta_table_unchanged(const struct meta_table *, const struct meta_cell *, struct meta_error *);
uint32_t meta_table_id(const char *key);

/* ---- what trainings share (table_beginning.c) ---- */

/* Iterations before a training of the model weighs its first task, at most all. */
int meta_recipe_unweighed(const struct meta_model *);
/* Gives recipes that are the same so far a beginning: more recipes, for which there has to be room (as many). */
int meta_table_begin(struct meta_table *, struct meta_error *);
/* What has to be run next for it: the shortest of its beginnings that is not there, or itself. */
struct meta_recipe *meta_recipe_next(struct meta_recipe *);

/* ---- images (table_images.c) ---- */

/* Whether the images are still those that the folder's results are of, by their sizes. keep: those of lists that are new to it are noted. */
int meta_table_images(const struct meta_table *, int keep, struct meta_error *);

/* ---- files (table_files.c) ---- */

/* Makes the training's folder with its .cfg and .data. */
int  meta_recipe_prepare(const struct meta_table *, const struct meta_recipe *, struct meta_error *);
int  meta_recipe_done(const struct meta_recipe *);                                          /* final weights are there */
/* How far it is, and the mean seconds of its last iterations (0: none yet), by its log. */
int  meta_recipe_progress(const struct meta_recipe *, double *seconds);
/* One more process of it has ended. */
int  meta_recipe_used(const struct meta_recipe *, double processor_seconds, double megabytes, struct meta_error *);

/* ---- results (table_result.c) ---- */

/* 1: its result is there and made of what the cell is now. 0: not; *why (may be NULL) is empty or says what has changed. */
int meta_cell_done(const struct meta_cell *, struct meta_error *why);
/* The file that `meta test` wrote becomes the cell's. */
int meta_cell_finish(const struct meta_table *, const struct meta_cell *, const char *written, double seconds, double megabytes,
                     struct meta_error *);
/* The paired difference to the reference, in every cell that has a result and not that; of those of one reference: that of the cell, or itself.
   cell NULL: of all. */
int meta_table_compare(const struct meta_table *, const struct meta_cell *, struct meta_error *);
/* The format of the grid's file. */
#define META_TABLE_PLAN 2
/* The grid as SLUG.json: what a report needs to tell of cells that have no result. */
int meta_table_write_plan(const struct meta_table *, struct meta_error *);
int meta_table_has_plan(const struct meta_table *);
/* Refuses a folder whose plan of that name is another table's: its cells' files would be, too. */
int meta_table_owns_plan(const struct meta_table *, struct meta_error *);

/* ---- hours (table_estimate.c) ---- */

/* Where a figure comes from: nothing is left to do; nothing to tell by; the seconds of this very training so far; those of others of the
   table, by the ratio of their arithmetic; arithmetic at META_TABLE_SHARE of this machine's peak, less than meta bench shows of 4 convolutions. */
enum meta_table_basis { META_BASIS_DONE, META_BASIS_NONE, META_BASIS_OWN, META_BASIS_OTHERS, META_BASIS_PEAK };
#define META_TABLE_SHARE .9

struct meta_table_cost { double seconds, flops; enum meta_table_basis basis; };
struct meta_table_costs {
    double peak;                                   /* floating-point operations a second; 0: nobody needed it */
    struct meta_table_cost *training;              /* (recipes) what is left of it */
    struct meta_table_cost *test;                  /* (cells) */
};
/* What is left to do, on so many threads. costs: zeroes, or those of before, whose peak is kept. The caller frees. */
int  meta_table_costs(struct meta_table_costs *, const struct meta_table *, int threads, struct meta_error *);
void meta_table_costs_free(struct meta_table_costs *);

#endif
