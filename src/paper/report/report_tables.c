/* Writes the tables of the page. A column is a number of shots. On a narrow screen the style sheet
   shows a row as a card, in which every cell names its column: hence data-column. */
#include "report_tables.h"
#include "base/plural.h"
#include "evaluation/scores.h"
#include "html.h"
#include "report_family.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table of methods by numbers of shots. kind: its class; caption: HTML. */
static void open_table(FILE *f, const struct meta_report_table *t, const char *kind,
                       const char *caption)
{
    fprintf(f,
            "<div class=\"wide\"><table class=\"%s\"><caption>%s</caption>\n"
            "<thead><tr><th scope=\"col\">method</th>",
            kind, caption);
    for (int i = 0; i < t->column_count; i++)
        fprintf(f, "<th scope=\"col\">%d shot%s</th>", t->columns[i], meta_plural(t->columns[i]));
    fputs("</tr></thead>\n<tbody>\n", f);
}

/* kind: its class; "" for none. */
static void open_cell(FILE *f, int shots, const char *kind)
{
    if (*kind) fprintf(f, "<td class=\"%s\"", kind);
    else fputs("<td", f);
    fprintf(f, " data-column=\"%d shot%s\">", shots, meta_plural(shots));
}

static void signed_interval(FILE *f, double low, double high)
{
    fprintf(f, " <span class=\"interval\">%+.2f to %+.2f</span>", 100 * low, 100 * high);
}

/* ---- beside the paper's ---------------------------------------------------------------------- */

static void missing_cell(FILE *f, const struct meta_report_table *t,
                         const struct meta_report_cell *c)
{
    open_cell(f, c->shots, "none");
    if (*t->needs) {
        fputs("needs ", f);
        meta_html_text(f, t->needs);
    } else {
        char text[80];
        meta_report_progress(text, sizeof text, c);
        fputs(text, f);
    }
    if (!isnan(c->paper)) fprintf(f, "<br><small>paper %.2f</small>", 100 * c->paper);
    fputs("</td>", f);
}

static void against_paper(FILE *f, const struct meta_report_cell *c)
{
    if (isnan(c->paper)) return;
    struct meta_estimate d = meta_report_less_paper(c);
    fprintf(f, "<br><small>paper %.2f: ours %+.2f", 100 * c->paper, 100 * d.mean);
    signed_interval(f, d.low, d.high);
    fprintf(f, ", %s</small>", meta_report_beside_paper(d));
}

static void figure_cell(FILE *f, const struct meta_report_cell *c)
{
    struct meta_estimate e = meta_json_get_estimate(c->result, "auc_after"), first = c->first,
                         accuracy = meta_json_get_estimate(c->result, "accuracy_after");
    const cJSON *other = meta_report_other_groups(c->result);
    open_cell(f, c->shots, "");
    fprintf(f, "<b>%.2f</b>", 100 * e.mean);
    meta_html_interval(f, e.low, e.high);
    if (other) {
        fputs("<br><small>other groups:", f);
        meta_html_interval(f, meta_json_get(other, "low"), meta_json_get(other, "high"));
        fputs("</small>", f);
    }
    if (!isnan(accuracy.mean)) {
        fprintf(f, "<br><small>accuracy %.2f", 100 * accuracy.mean);
        if (accuracy.n > 1) meta_html_interval(f, accuracy.low, accuracy.high);
        fputs("</small>", f);
    }
    fprintf(f, "<br><small>first %d tasks: %.2f", first.n, 100 * first.mean);
    meta_html_interval(f, first.low, first.high);
    fputs("</small>", f);
    against_paper(f, c);
    fputs("</td>", f);
}

void meta_report_figures_table(FILE *f, const struct meta_report_table *t)
{
    open_table(f, t, "figures",
               meta_report_has_paper(t)
                   ? "AUC and accuracy in percent, mean over the tasks with its 95% interval, "
                     "beside the paper&rsquo;s AUC"
                   : "AUC and accuracy in percent, mean over the tasks with its 95% interval");
    for (int i = 0; i < t->row_count; i++) {
        meta_html_row(f, meta_report_label(t, i));
        for (int k = 0; k < t->column_count; k++) {
            const struct meta_report_cell *c = meta_report_at(t, i, t->columns[k]);
            if (!c) fputs("<td class=\"empty\"></td>", f);
            else if (c->result) figure_cell(f, c);
            else missing_cell(f, t, c);
        }
        fputs("</tr>\n", f);
    }
    meta_html_close_table(f);
}

/* ---- paired differences ---------------------------------------------------------------------- */

static void difference_cell(FILE *f, const struct meta_report_table *t,
                            const struct meta_report_cell *c)
{
    const cJSON *d = meta_report_difference(t, c), *other = meta_report_other_groups(d);
    const char *word = meta_json_text(d, "word");
    if (!d) {
        open_cell(f, c->shots, "none");
        fprintf(f, "%s</td>", meta_report_no_difference(c));
        return;
    }
    int named = !strcmp(word, "better") || !strcmp(word, "worse");
    open_cell(f, c->shots, named ? word : "same");
    fprintf(f, "<b>%+.2f</b>", 100 * meta_json_get(d, "mean"));
    signed_interval(f, meta_json_get(d, "low"), meta_json_get(d, "high"));
    fputs("<br><small>", f);
    meta_html_text(f, word);
    if (meta_report_is_beside(t, c)) {
        fputs(", beside ", f);
        meta_html_text(f, c->paired_with);
    }
    fputs("</small>", f);
    if (other) {
        fputs("<br><small>other groups:", f);
        signed_interval(f, meta_json_get(other, "low"), meta_json_get(other, "high"));
        fputs(", ", f);
        meta_html_text(f, meta_json_text(other, "word"));
        fputs("</small>", f);
    }
    fputs("</td>", f);
}

/* Whether no cell of the row is paired with another. */
static int is_reference(const struct meta_report_table *t, int row)
{
    int paired = 0;
    for (int i = 0; i < t->cell_count; i++)
        paired |= t->cells[i].row == row && *t->cells[i].paired_with;
    return !paired;
}

/* Whether the reference is a family, whose trainings are paired seed by seed. */
static int by_seed(const struct meta_report_table *t)
{
    int several = 0;
    for (int i = 0; i < t->cell_count; i++) several |= !strcmp(t->cells[i].family, t->reference);
    return several;
}

void meta_report_differences(FILE *f, const struct meta_report_table *t)
{
    if (!*t->reference) return;
    fputs("<h3>Paired with ", f);
    meta_html_text(f, t->reference);
    fputs(by_seed(t) ? ", seed by seed</h3>\n" : "</h3>\n", f);
    open_table(f, t, "differences",
               "AUC less the reference&rsquo;s on the same tasks, in "
               "percentage points, with the 95% bootstrap interval of the mean difference. A plain "
               "word after it: better or worse where the interval leaves out 0");
    for (int i = 0; i < t->row_count; i++) {
        if (is_reference(t, i)) continue;
        meta_html_row(f, meta_report_label(t, i));
        for (int k = 0; k < t->column_count; k++) {
            const struct meta_report_cell *c = meta_report_at(t, i, t->columns[k]);
            if (c) difference_cell(f, t, c);
            else fputs("<td class=\"empty\"></td>", f);
        }
        fputs("</tr>\n", f);
    }
    meta_html_close_table(f);
}

/* ---- trainings ------------------------------------------------------------------------------- */

static void trainings_cell(FILE *f, const struct meta_report_table *t,
                           const struct meta_report_family *a)
{
    struct meta_estimate d = a->difference;
    open_cell(f, a->shots, "");
    if (!a->auc.n) fputs("not yet run", f);
    else fprintf(f, "<b>%.2f</b>", 100 * a->auc.mean);
    if (a->auc.n > 1) meta_html_interval(f, a->auc.low, a->auc.high);
    fprintf(f, "<br><small>%d of %d trainings", a->auc.n, a->count);
    if (a->auc.n > 1) fprintf(f, ", deviation %.2f", 100 * a->auc.error * sqrt(a->auc.n));
    fputs("</small>", f);
    if (d.n > 1) {
        fputs("<br><small>less ", f);
        meta_html_text(f, *a->beside ? a->beside : t->reference);
        fprintf(f, " (%d pairs): %+.2f", d.n, 100 * d.mean);
        if (isnan(d.low)) fputs(", of one training of it: no interval</small>", f);
        else {
            signed_interval(f, d.low, d.high);
            fprintf(f, ", %s</small>", meta_paired_word(d.low, d.high));
        }
    }
    if (!isnan(a->tasks.low)) {
        fputs("<br><small>these trainings, over the tasks:", f);
        signed_interval(f, a->tasks.low, a->tasks.high);
        fprintf(f, ", %s</small>", meta_paired_word(a->tasks.low, a->tasks.high));
    }
    fputs("</td>", f);
}

int meta_report_trainings(FILE *f, const struct meta_report_table *t, struct meta_error *error)
{
    int count;
    struct meta_report_family *all = meta_report_families(t, &count);
    if (count < 0) return meta_fail_memory(error);
    if (!count) return 0;
    fputs("<h3>Over trainings</h3>\n", f);
    open_table(f, t, "trainings",
               "AUC in percent, mean over trainings that differ in their seed "
               "alone, and the mean of their paired differences, each with its 95% interval by "
               "Student&rsquo;s t over the trainings: of other seeds, on these tasks. Beside it "
               "the "
               "bootstrap interval over the tasks: of these trainings, on other tasks");
    for (int i = 0; i < count; i++) {
        int known = 0;
        for (int k = 0; k < i; k++) known |= !strcmp(all[k].name, all[i].name);
        if (known) continue;
        meta_html_row(f, all[i].name);
        for (int c = 0; c < t->column_count; c++) {
            int k = i;
            while (k < count && (strcmp(all[k].name, all[i].name) || all[k].shots != t->columns[c]))
                k++;
            if (k < count) trainings_cell(f, t, &all[k]);
            else fputs("<td class=\"empty\"></td>", f);
        }
        fputs("</tr>\n", f);
    }
    meta_html_close_table(f);
    free(all);
    return 0;
}
