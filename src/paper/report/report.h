/* A folder of `meta table` as one page of HTML that needs nothing else: no scripts, no fonts, no links; or its figures as Markdown. */
#ifndef META_REPORT_H
#define META_REPORT_H

#include <stdio.h>

#include "stats/estimate.h"
#include "base/json.h"
#include "training/train_log.h"

/* ---- what is in the folder (report_data.c) ---- */

struct meta_report_cell {
    const char *label, *cfg, *method, *train, *log;        /* of the plan, as all that is not said to be otherwise */
    const char *family, *paired_with;      /* rows that differ in their training's seed; the label of the reference: "" for none */
    int row, shots, seed, iterations;
    double paper;                          /* 0..1; NaN: none */
    uint32_t id;
    cJSON *result;                         /* NULL: it has none that holds */
    const cJSON *own;                      /* what the table put into it */
    struct meta_estimate first;            /* AUC of the first tasks */
    int stale;                             /* there is one of other settings */
    struct meta_row *rows;                 /* of the log of a training that is not at its end, or NULL */
    int row_count;
};

struct meta_report_table {
    cJSON *plan;
    const char *name, *needs, *reference, *file, *data;    /* needs: "" when the data were there */
    int row_count, column_count, cell_count, runs, first, seed;
    int *columns;                          /* numbers of shots */
    struct meta_report_cell *cells;
};

struct meta_report { int count; struct meta_report_table *tables; };

/* Every plan of the folder, in order of their files' names. The caller frees. */
int  meta_report_read(struct meta_report **, const char *folder, struct meta_error *);
void meta_report_free(struct meta_report *);
const struct meta_report_cell *meta_report_at(const struct meta_report_table *, int row, int shots);     /* NULL: no such cell */
const char *meta_report_label(const struct meta_report_table *, int row);
/* The paired difference to what the plan pairs it with, when that has a result and it is of that one; else NULL. */
const cJSON *meta_report_difference(const struct meta_report_table *, const struct meta_report_cell *);
/* Rows of one family as so many trainings. */
struct meta_report_family {
    const char *name;
    int shots, count;                      /* of trainings, run or not */
    /* over the trainings whose result, or difference, there is: n of them. Differences to one and the same training have that one's luck in
       common, and no interval (NaN) */
    struct meta_estimate auc, difference;
};
/* The families of the table, by the order of their cells. The caller frees; NULL with *count 0: there is none; with -1: no memory. */
struct meta_report_family *meta_report_families(const struct meta_report_table *, int *count);
/* What tells of query images in groups drawn anew: an object with low and high, of a result or of a difference; NULL in one from before there was
   such a thing, or when it can't be told (a class with one group). */
const cJSON *meta_report_other_groups(const cJSON *);
/* Its result's AUC less the paper's, with the error that a mean of the paper's number of tasks has: as many as our first. */
struct meta_estimate meta_report_less_paper(const struct meta_report_cell *);
/* What such a difference lets us say of ours: "above", "below" or "no difference seen". */
const char *meta_report_beside_paper(struct meta_estimate difference);
/* How far a cell without a result is, as text. */
void meta_report_progress(char *text, size_t size, const struct meta_report_cell *);

/* ---- the page (report_page.c) ---- */

/* Text between tags, or in an attribute in double quotes. */
void meta_html_text(FILE *, const char *);
/* The whole page. */
int  meta_report_page(FILE *, const struct meta_report *, struct meta_error *);

/* The figures alone (report_markdown.c). */
int  meta_report_markdown(FILE *, const struct meta_report *, struct meta_error *);

/* ---- tables (report_tables.c) ---- */

void meta_report_figures_table(FILE *, const struct meta_report_table *);      /* beside the paper's */
void meta_report_differences(FILE *, const struct meta_report_table *);
int  meta_report_trainings(FILE *, const struct meta_report_table *, struct meta_error *);     /* families, if there are any */
void meta_report_pairs(FILE *, const struct meta_report_table *);
void meta_report_costs(FILE *, const struct meta_report_table *);
void meta_report_settings(FILE *, const struct meta_report_table *);

/* ---- figures (report_figures.c, drawn through figure.c) ---- */

int meta_report_roc(FILE *, const struct meta_report_table *, struct meta_error *);
int meta_report_curves(FILE *, const struct meta_report_table *, struct meta_error *);
int meta_report_difficulty(FILE *, struct meta_error *);                       /* Figure 2 */
int meta_report_finetuning(FILE *, const struct meta_report_table *, struct meta_error *);     /* Figure 3 */

#endif
