/* Writes the numbers of a folder of `meta table` as Markdown: a row a cell, then pairs of classes,
   seeds and families. */
#include "report_markdown.h"
#include "base/plural.h"
#include "markdown_parts.h"
#include "markdown_text.h"
#include "evaluation/scores.h"
#include "report_family.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void estimate(FILE *f, struct meta_estimate e)
{
    fprintf(f, "| %.2f (%.2f to %.2f) ", 100 * e.mean, 100 * e.low, 100 * e.high);
}

/* The last column. */
static void write_accuracy(FILE *f, const struct meta_report_cell *c)
{
    struct meta_estimate e = meta_json_get_estimate(c->result, "accuracy_after");
    if (isnan(e.mean)) fputs("| - ", f);
    else estimate(f, e);
    fputs("|\n", f);
}

/* The paired difference, and beside what where the column's head does not say it. */
static void write_difference(FILE *f, const struct meta_report_table *t,
                             const struct meta_report_cell *c, const cJSON *d)
{
    meta_markdown_signed(f, meta_json_get(d, "mean"), meta_json_get(d, "low"),
                         meta_json_get(d, "high"), meta_json_text(d, "word"));
    meta_markdown_beside(f, meta_report_is_beside(t, c) ? c->paired_with : "");
}

static void write_figures(FILE *f, const struct meta_report_table *t,
                          const struct meta_report_cell *c)
{
    const cJSON *d = meta_report_difference(t, c), *other = meta_report_other_groups(c->result),
                *other_difference = meta_report_other_groups(d);
    estimate(f, meta_json_get_estimate(c->result, "auc_after"));
    if (other)
        fprintf(f, "| %.2f to %.2f ", 100 * meta_json_get(other, "low"),
                100 * meta_json_get(other, "high"));
    else fputs("| - ", f);
    estimate(f, c->first);
    if (isnan(c->paper)) fputs(meta_report_has_paper(t) ? "| | " : "", f);
    else {
        struct meta_estimate less = meta_report_less_paper(c);
        fprintf(f, "| %.2f ", 100 * c->paper);
        meta_markdown_signed(f, less.mean, less.low, less.high, meta_report_beside_paper(less));
    }
    if (d) write_difference(f, t, c, d);
    else fputs(*c->paired_with ? "| the reference is to be run " : "| - ", f);
    if (other_difference)
        fprintf(f, "| %+.2f to %+.2f, %s ", 100 * meta_json_get(other_difference, "low"),
                100 * meta_json_get(other_difference, "high"),
                meta_json_text(other_difference, "word"));
    else fputs("| - ", f);
    write_accuracy(f, c);
}

static void write_cell(FILE *f, const struct meta_report_table *t, const struct meta_report_cell *c)
{
    char text[80];
    fputs("| ", f);
    meta_markdown_text(f, c->label);
    fprintf(f, " | %d ", c->shots);
    if (c->result) {
        write_figures(f, t, c);
        return;
    }
    meta_report_progress(text, sizeof text, c);
    fputs(*t->needs ? "| needs " : "| ", f);
    meta_markdown_text(f, *t->needs ? t->needs : text);
    fputs(" | | | ", f);
    if (!isnan(c->paper)) fprintf(f, "%.2f ", 100 * c->paper);
    fputs(meta_report_has_paper(t) ? "| | | | |\n" : "| | |\n", f);
}

/* The table over trainings counts the trainings of several seeds: those not yet begun are not
   listed. */
static int is_listed(const struct meta_report_cell *c)
{
    return c->result || c->stale || c->log_count || !*c->family;
}

/* Tasks that are in the means with an AUC of chance. */
static void write_diverged(FILE *f, const struct meta_report_table *t)
{
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        int diverged = meta_report_diverged(c);
        if (!diverged) continue;
        fprintf(f, "\nOf %d task%s that diverged the AUC counts as 0.5: ", diverged,
                meta_plural(diverged));
        meta_markdown_text(f, c->label);
        fprintf(f, ", %d shot%s.\n", c->shots, meta_plural(c->shots));
    }
}

static void write_family(FILE *f, const struct meta_report_family *a)
{
    struct meta_estimate d = a->difference;
    fputs("| ", f);
    meta_markdown_text(f, a->name);
    fprintf(f, " | %d | %d of %d ", a->shots, a->auc.n, a->count);
    if (a->auc.n > 1) {
        estimate(f, a->auc);
        fprintf(f, "| %.2f ", 100 * a->auc.error * sqrt(a->auc.n));
    } else fputs("| - | - ", f);
    if (d.n > 1 && isnan(d.low))
        fprintf(f, "| %+.2f, of one training of it: no interval ", 100 * d.mean);
    else if (d.n > 1)
        meta_markdown_signed(f, d.mean, d.low, d.high, meta_paired_word(d.low, d.high));
    else fputs("| - ", f);
    if (d.n > 1) meta_markdown_beside(f, a->beside);
    if (isnan(a->tasks.low)) fputs("| - ", f);
    else
        fprintf(f, "| %+.2f to %+.2f, %s ", 100 * a->tasks.low, 100 * a->tasks.high,
                meta_paired_word(a->tasks.low, a->tasks.high));
    fputs("|\n", f);
}

static int write_families(FILE *f, const struct meta_report_table *t, struct meta_error *error)
{
    int count;
    struct meta_report_family *all = meta_report_families(t, &count);
    if (count < 0) return meta_fail_memory(error);
    if (count) {
        fputs("\n| method | shots | trainings | AUC, over trainings | deviation | paired with ", f);
        meta_markdown_text(f, *t->reference ? t->reference : "nothing");
        fputs(" | these trainings, over the tasks |\n|---|---|---|---|---|---|---|\n", f);
    }
    for (int i = 0; i < count; i++) write_family(f, &all[i]);
    free(all);
    return 0;
}

int meta_report_markdown(FILE *f, const struct meta_report *r, struct meta_error *error)
{
    for (int i = 0; i < r->count; i++) {
        const struct meta_report_table *t = &r->tables[i];
        fprintf(f, "%s### ", i ? "\n" : "");
        meta_markdown_text(f, t->name);
        int paper = meta_report_has_paper(t);
        fprintf(f,
                "\n\n| method | shots | AUC, %d tasks | other groups | first %d | %spaired with ",
                t->runs, t->first, paper ? "paper | ours - paper | " : "");
        meta_markdown_text(f, *t->reference ? t->reference : "nothing");
        fprintf(f, " | other groups | accuracy |\n|---|---|---|---|---|---|---|---|%s\n",
                paper ? "---|---|" : "");
        for (int k = 0; k < t->cell_count; k++)
            if (is_listed(&t->cells[k])) write_cell(f, t, &t->cells[k]);
        write_diverged(f, t);
        meta_markdown_pairs(f, t);
        meta_markdown_seeds(f, t);
        if (write_families(f, t, error)) return -1;
    }
    return 0;
}
