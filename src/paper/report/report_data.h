/* A folder of `meta table` as data: the plan of every table, and of every cell its result or how
   far its training is. */
#ifndef META_REPORT_DATA_H
#define META_REPORT_DATA_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/json.h"
#include "stats/estimate.h"
#include "training/train_log.h"

struct meta_report_cell {
    /* From the plan, which owns the texts. */
    const char *label; /* of the cell's row */
    const char *cfg, *method, *train;
    const char *train_data;  /* the .data file of the training; "": the table's */
    const char *asked;       /* how the method is asked beside that, in words; "" for nothing */
    const char *log;         /* the training's CSV file in the folder; "" for none */
    const char *family;      /* the row's family (report_family.h); "" for none */
    const char *paired_with; /* label of the reference; "" for none */
    int row, shots;
    int seed, iterations; /* of the training */
    int train_shots;      /* of the training's tasks; 0: it has none; -1: an older plan */
    double paper;         /* AUC that the paper gives, 0..1; NaN for none */
    uint32_t id;          /* of the cell's settings, which its result must have */
    /* From the result. */
    cJSON *result;              /* NULL when there is none with these settings */
    const cJSON *own;           /* the part of the result that `meta table` added */
    struct meta_estimate first; /* AUC over the first tasks */
    int stale;                  /* there is a result, but with other settings */
    /* From the log of the training, which is read where there is no result. */
    struct meta_row *log_rows; /* (log_count); NULL without a log */
    int log_count;
};

struct meta_report_table {
    cJSON *plan;
    const char *name, *file, *data; /* title; the .table file; the .data file */
    const char *needs;              /* the data that are missing; "" when they are there */
    const char *reference;          /* row or family that the others are paired with; "": none */
    const char *list;               /* of the .data file, that the cells are tested on */
    const char *caption;            /* what the table compares; "": its file doesn't say */
    const char *authors, *groups;   /* whose the rows' figures are, what the groups are: words */
    int place;                      /* among the tables of a page; 0: after those that have one */
    int runs;                       /* tasks of a cell */
    int first;                      /* how many of them are the first tasks */
    int seed;                       /* of the tasks */
    int row_count, column_count, cell_count;
    int *columns;                   /* (column_count) numbers of shots, ascending */
    struct meta_report_cell *cells; /* (cell_count) */
};

struct meta_report {
    int count;
    struct meta_report_table *tables; /* (count) */
};

/* Reads the plans of the folder: by their places, then those without one, each in the order of the
   files' names. only: the name of a table, or of its file without folder and ending, which alone is
   read; NULL reads all. Fails when there is none, when a plan is not of the present format, and
   when a result can't be read. The caller frees with meta_report_free. */
int meta_report_read(struct meta_report **, const char *folder, const char *only,
                     struct meta_error *);
void meta_report_free(struct meta_report *);

/* The classes of a task of the cell's result; 0 without one. */
int meta_report_ways(const struct meta_report_cell *);
/* The tasks of the cell's result that diverged; 0 without one. */
int meta_report_diverged(const struct meta_report_cell *);
/* Whether the table's file gives figures of a paper. */
int meta_report_has_paper(const struct meta_report_table *);
/* The cell of a row (from 0) and a number of shots; NULL when the table has no such cell. */
const struct meta_report_cell *meta_report_at(const struct meta_report_table *, int row, int shots);
/* The label of a row; "" when the plan has none. */
const char *meta_report_label(const struct meta_report_table *, int row);
/* The cell that the plan pairs this one with; NULL for none. */
const struct meta_report_cell *meta_report_reference(const struct meta_report_table *,
                                                     const struct meta_report_cell *);
/* Whether that one is to be named: it is neither the table's reference nor its training of the same
   seed. */
int meta_report_is_beside(const struct meta_report_table *, const struct meta_report_cell *);
/* How a mean over the cell's family names that one: by its own family, where it has one. A cell of
   no family names its label. "" where it is not to be named. */
const char *meta_report_beside(const struct meta_report_table *, const struct meta_report_cell *);
/* The name for a mean of several differences: `all`, that of the earlier ones (NULL: there are
   none), with `one`. */
const char *meta_report_join_beside(const char *all, const char *one);
/* The paired difference of the cell's result to the cell that the plan pairs it with: an object
   with mean, low, high and word. NULL unless both have results and the difference was made from
   these two. */
const cJSON *meta_report_difference(const struct meta_report_table *,
                                    const struct meta_report_cell *);
/* Why there is none, in words. */
const char *meta_report_no_difference(const struct meta_report_cell *);
/* The interval of a result, or of a difference, with the groups of images drawn anew as well:
   an object with low and high. NULL in a file from before that was so of support images, too, and
   when it is NaN because a class has one group. */
const cJSON *meta_report_other_groups(const cJSON *result_or_difference);
/* The result's AUC less the paper's, whose mean is given the error that a mean over c->first.n
   tasks has. */
struct meta_estimate meta_report_less_paper(const struct meta_report_cell *c);
/* What such a difference says of our AUC: "above", "below" or "no difference seen". */
const char *meta_report_beside_paper(struct meta_estimate difference);
/* Writes how far a cell without a result is into text (size bytes). */
void meta_report_progress(char *text, size_t size, const struct meta_report_cell *);

#endif
