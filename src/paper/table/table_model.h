/* A table of a paper: rows (a method, a network, how it is trained) by numbers of shots. Every
   cell is one test, all of them on the same tasks; cells whose trainings are the same share one. */
#ifndef META_TABLE_MODEL_H
#define META_TABLE_MODEL_H

#include <stdint.h>
#include "base/error.h"
#include "config/model.h"
#include "tasks/identity.h"

/* What makes a row's weights: nothing (the file names them), `meta train` or `meta pretrain`. */
enum meta_table_training { META_TABLE_NONE, META_TABLE_TRAIN, META_TABLE_PRETRAIN };

/* A [row] with one seed of its training. A [row] that names several seeds becomes as many of
   these: a family. */
struct meta_table_row {
    char *label;         /* the file's; in a family "LABEL, seed N" */
    char *family;        /* the label that a family shares; NULL: the row has no family */
    char *cfg, *weights; /* paths; weights only with META_TABLE_NONE, else NULL */
    int method;          /* place in meta_methods (evaluation/methods.h) */
    int train;           /* enum meta_table_training */
    int average;         /* not 0: the average of the training's weights is tested */
    int each;            /* not 0: a training for each of shots; 0: one for all */
    int seed;            /* seed of the training, of an ensemble the first; -1 uses [table] seed */
    int nth;             /* place in the family, from 0; of an ensemble the last */
    int epochs;          /* of a method with -epochs; 0: the number of `meta test` */
    int augment;         /* of a method with -augment; 0: none */
    int ensemble;        /* not 0: the weights of all seeds are tested as one answer */
    char *with;          /* label of a row above whose answers are averaged with; NULL: none */
    struct meta_list temper; /* (2) temperatures of the row's answers and of those; or none */
    char *train_data;        /* the .data file that the training reads; NULL: the table's */
    int source;              /* place of that file in the table's sources */
    struct meta_list seeds;  /* the seeds that the file lists */
    struct meta_list shots;  /* numbers of support images a class: a cell each */
    struct meta_list paper;  /* the paper's AUC in percent for each of shots; or count 0 */
    int line;                /* of [row] in the file */
    /* What the .cfg says. */
    int ways, queries, iterations;
    int own_shots; /* [episode] shots; 0 without the section */
    int unweighed; /* as in struct meta_recipe */
};

/* A training that one or more cells stand on, or the beginning of some. All paths lie in
   `folder`, which is named after the .cfg and the key. */
struct meta_recipe {
    const struct meta_table_row *row; /* the first row that has this training */
    int shots;                        /* replaces [episode] shots of the .cfg; 0: these hold */
    uint64_t seed;
    char *key;  /* what the weights depend on: see table_key.h */
    char *name; /* of the training's files in `folder` */
    char *folder;
    char *cfg, *data; /* the copies that the training is run with */
    char *state, *csv, *final, *log, *usage;
    int total;                     /* iterations */
    int unweighed;                 /* iterations before a task is weighed by [meta_loss] */
    struct meta_recipe *beginning; /* the shared training that this one forks; NULL: none */
    int is_beginning;              /* whether this is such a shared beginning */
    int failed;                    /* the training was tried in this process, and failed */
    int counted;                   /* the sum or the list of trainings that is being made has it */
};

struct meta_cell {
    const struct meta_table_row *row;
    int shots;
    double paper;               /* the paper's AUC in percent; NaN: it has none */
    struct meta_recipe *recipe; /* NULL: weights are given, or the data are not there */
    struct meta_recipe **more;  /* (more_count) an ensemble's trainings behind the first */
    int more_count;
    struct meta_cell *with; /* whose answers are averaged with this one's; NULL: no cell's are */
    char *answers;          /* path of the answers, which another cell is averaged with; NULL */
    int again;              /* is run for its answers, though its result is there */
    int failed;             /* with answers: was tried in this process, and failed */
    char *key;              /* what the result depends on; NULL: no data */
    uint32_t id;            /* CRC-32 of the key */
    char *name;             /* of the result's file, without folder */
    char *file, *log;       /* paths of the result and of what `meta test` prints */
};

/* A list of images that the table's trainings or tests depend on. */
struct meta_table_list {
    struct meta_identity id;
    struct meta_digest state; /* of the sizes and times of the images' files */
    int count;                /* images; 0: the table has no use for the list */
    int classes;              /* that have images */
    char name[32];            /* the list's own check sum in words */
};
enum { META_TABLE_TRAINED, META_TABLE_TESTED, META_TABLE_LISTS };

/* A .data file, as far as a table depends on it. */
struct meta_table_source {
    const char *data; /* path, which the table or a row owns */
    int missing;      /* it isn't there, and nothing below is known */
    int has_valid;    /* it has a valid list */
    int classes;
    int decode;                                     /* enum meta_decode */
    int range;                                      /* 0: none */
    struct meta_table_list lists[META_TABLE_LISTS]; /* train; test or valid, of the table's own */
};
enum { META_TABLE_SOURCES = 8 };

struct meta_table {
    char *path, *slug; /* the .table file; its name without folder and ending */
    char *folder;      /* where trainings and results go */
    /* [table] */
    char *name, *data, *reference, *needs;
    int seed, runs, first, valid_every;
    int valid;                        /* whether cells are tested on the valid list, not on test */
    int place;                        /* in a report; 0: after those that have one */
    char *caption, *authors, *groups; /* words of a report; NULL: the file has none */
    struct meta_table_source sources[META_TABLE_SOURCES]; /* first `data`, which tests read */
    int source_count;
    int row_count, recipe_count, cell_count, column_count;
    struct meta_table_row *rows;
    struct meta_recipe *recipes; /* the cells', then the beginnings that are shared */
    struct meta_cell *cells;     /* in the order they are run: see table_cells.h */
    int *columns;                /* numbers of shots, ascending */
};

/* "train", or that of test and valid which the cells are tested on. which: META_TABLE_TRAINED or
   META_TABLE_TESTED. */
const char *meta_table_list_name(const struct meta_table *, int which);
/* "maml", as `meta test -method` takes it; "train". */
const char *meta_row_method_name(int method);
const char *meta_table_training_name(int train);

/* Whether `label` is the row's, or its family's. */
int meta_row_has_label(const struct meta_table_row *, const char *label);
/* The .data file that isn't there and without which the cell can't be run; NULL: none is missing.
 */
const char *meta_cell_missing(const struct meta_table *, const struct meta_cell *);
/* The row's .cfg, checked for what the row trains it on. The caller frees. */
int meta_row_model(struct meta_model **, const struct meta_table_row *, struct meta_error *);
/* The seed of the row's training, of an ensemble that of the first. */
uint64_t meta_table_seed(const struct meta_table *, const struct meta_table_row *);
/* The trainings that a cell stands on: their number, and the one at `place`, from 0. */
int meta_cell_trainings(const struct meta_cell *);
struct meta_recipe *meta_cell_training(const struct meta_cell *, int place);
/* The cell that a cell is paired with: of [table] reference, it has the same number of shots and,
   when the reference is a family, the same seed. In its place stands a cell of the same method,
   .cfg and trainings that asks as many of these, copies of an image, averaged weights and another
   cell's answers as the cell, unless the cell is such a one itself. NULL: there is none, or the
   cell is of the reference itself. */
const struct meta_cell *meta_table_reference(const struct meta_table *, const struct meta_cell *);

/* Makes *text by a format of printf. The caller frees; *text is NULL when there is no memory. */
int meta_table_text(char **text, struct meta_error *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
