/* Gathers the lines of a table's dot plots from the results of its cells. */
#include "report_dots.h"
#include "base/plural.h"
#include "dots.h"
#include "evaluation/scores.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The lines of a plot, which are gathered method by method. */
struct gathering {
    const struct meta_report_table *t;
    int differences;        /* whether lines are of differences or of AUCs */
    struct meta_dot *lines; /* (cells of the table) */
    int count;
    double *each; /* (cells of the table) the trainings' figures, line by line */
    int used;     /* of each */
};

/* The family of a row; "" for none. */
static const char *family_of(const struct meta_report_table *t, int row)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].row == row) return t->cells[i].family;
    return "";
}

/* Whether the cell belongs to the method that begins with this row. */
static int is_of(const struct meta_report_cell *c, int row, const char *family)
{
    return *family ? !strcmp(c->family, family) : c->row == row;
}

/* Whether an earlier row is of the same family, whose lines are gathered with that. */
static int seen_before(const struct meta_report_table *t, int row, const char *family)
{
    for (int i = 0; *family && i < row; i++)
        if (!strcmp(family_of(t, i), family)) return 1;
    return 0;
}

/* The figure of one cell, in percent or percentage points: what a result or a difference says. */
static void take_one(struct gathering *g, struct meta_dot *l, const struct meta_report_cell *c)
{
    const cJSON *d = meta_report_difference(g->t, c),
                *other = meta_report_other_groups(g->differences ? d : c->result);
    struct meta_estimate e = meta_json_get_estimate(c->result, "auc_after");
    if (g->differences) {
        e = (struct meta_estimate){ .mean = meta_json_get(d, "mean"),
                                    .low = meta_json_get(d, "low"),
                                    .high = meta_json_get(d, "high") };
        l->word = meta_json_text(d, "word");
    }
    l->mean = 100 * e.mean;
    l->low = 100 * e.low;
    l->high = 100 * e.high;
    l->other_low = other ? 100 * meta_json_get(other, "low") : NAN;
    l->other_high = other ? 100 * meta_json_get(other, "high") : NAN;
    g->each[g->used + l->done++] = l->mean;
}

/* The mean over the trainings of a line. shared: their differences are to one and the same
   training. */
static void take_mean(const struct gathering *g, struct meta_dot *l, int shared)
{
    struct meta_estimate e = meta_estimate(l->each, sizeof *l->each, l->done);
    if (!g->differences) e = meta_estimate_within(e, 0, 100);
    l->mean = e.mean;
    l->low = shared ? NAN : e.low;
    l->high = shared ? NAN : e.high;
    l->other_low = l->other_high = NAN;
    if (g->differences) l->word = shared ? "no interval" : meta_paired_word(e.low, e.high);
}

static void say_missing(const struct gathering *g, struct meta_dot *l,
                        const struct meta_report_cell *c)
{
    if (*g->t->needs) snprintf(l->missing, sizeof l->missing, "its data are not there");
    else if (g->differences)
        snprintf(l->missing, sizeof l->missing, "%s", meta_report_no_difference(c));
    else meta_report_progress(l->missing, sizeof l->missing, c);
}

/* Adds the line of a method at one number of shots, unless the table has no such cell. */
static void add_line(struct gathering *g, int row, const char *family, int column)
{
    const struct meta_report_table *t = g->t;
    const struct meta_report_cell *lacking = NULL;
    const char *reference = NULL;
    struct meta_dot l = { .label = *family ? family : meta_report_label(t, row),
                          .shots = t->columns[column],
                          .column = column,
                          .mean = NAN,
                          .low = NAN,
                          .high = NAN,
                          .other_low = NAN,
                          .other_high = NAN,
                          .paper = NAN,
                          .each = g->each + g->used,
                          .word = "" };
    int shared = 0;
    for (const struct meta_report_cell *c = t->cells; c < t->cells + t->cell_count; c++) {
        if (c->shots != l.shots || !is_of(c, row, family)) continue;
        l.trainings++;
        if (!g->differences) l.paper = 100 * c->paper;
        if (g->differences ? !meta_report_difference(t, c) : !c->result) {
            lacking = lacking ? lacking : c;
            continue;
        }
        shared |= reference && !strcmp(reference, c->paired_with);
        reference = c->paired_with;
        if (g->differences) l.beside = meta_report_join_beside(l.beside, meta_report_beside(t, c));
        take_one(g, &l, c);
    }
    if (!l.trainings) return;
    if (l.done > 1) take_mean(g, &l, g->differences && shared);
    else if (!l.done) say_missing(g, &l, lacking);
    if (l.trainings > 1) g->used += l.done;
    else l.done = 0;
    g->lines[g->count++] = l;
}

/* Whether a cell of the method is paired with another: that of the reference is not. */
static int is_paired(const struct meta_report_table *t, int row, const char *family)
{
    for (int i = 0; i < t->cell_count; i++)
        if (is_of(&t->cells[i], row, family) && *t->cells[i].paired_with) return 1;
    return 0;
}

static int gather(struct gathering *g, struct meta_error *error)
{
    const struct meta_report_table *t = g->t;
    g->lines = calloc((size_t)t->cell_count + 1, sizeof *g->lines);
    g->each = calloc((size_t)t->cell_count + 1, sizeof *g->each);
    if (!g->lines || !g->each) return meta_fail_memory(error);
    for (int row = 0; row < t->row_count; row++) {
        const char *family = family_of(t, row);
        if (seen_before(t, row, family) || (g->differences && !is_paired(t, row, family))) continue;
        for (int k = 0; k < t->column_count; k++) add_line(g, row, family, k);
    }
    return 0;
}

/* Gathers the lines and writes the plot, whose words are set but for the lines. */
static int write_plot(FILE *f, const struct meta_report_table *t, struct meta_dots *d,
                      struct meta_error *error)
{
    struct gathering g = { .t = t, .differences = d->is_difference };
    int several = 0, status = gather(&g, error);
    for (int i = 0; i < g.count; i++) several |= g.lines[i].trainings > 1;
    d->interval = several ? "over the trainings (Student's t); of a single one over its tasks"
                          : "over the tasks";
    d->paper = t->authors;
    d->groups = t->groups;
    d->columns = t->column_count;
    d->shots = t->columns;
    d->count = g.count;
    d->lines = g.lines;
    if (!status) meta_dots_write(f, d);
    free(g.lines);
    free(g.each);
    return status;
}

int meta_report_auc_dots(FILE *f, const struct meta_report_table *t, struct meta_error *error)
{
    char title[100];
    struct meta_dots d = { .title = title, .axis = "AUC in percent" };
    snprintf(title, sizeof title, "AUC by method and number of shots: mean over %d task%s", t->runs,
             meta_plural(t->runs));
    return write_plot(f, t, &d, error);
}

int meta_report_difference_dots(FILE *f, const struct meta_report_table *t,
                                struct meta_error *error)
{
    char title[300], axis[300];
    const char *or_row = "";
    struct meta_dots d = { .title = title, .axis = axis, .is_difference = 1 };
    if (!*t->reference) return 0;
    for (int i = 0; i < t->cell_count; i++)
        if (meta_report_is_beside(t, &t->cells[i])) or_row = ", or the row that a line is beside,";
    snprintf(axis, sizeof axis, "percentage points; right of 0 is better than %.200s%.*s",
             t->reference, *or_row ? (int)strlen(or_row) - 1 : 0, or_row);
    snprintf(title, sizeof title, "AUC less that of %.200s%s on the same tasks", t->reference,
             or_row);
    return write_plot(f, t, &d, error);
}
