/* Gathers the rows that differ in the seed of their training alone, and takes means over them. */
#include "report_family.h"
#include "evaluation/scores.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int same_family(const struct meta_report_cell *a, const struct meta_report_cell *b)
{
    return a->shots == b->shots && !strcmp(a->family, b->family);
}

static const cJSON *tasks_of(const struct meta_report_cell *c)
{
    return cJSON_GetObjectItemCaseSensitive(c->result, "tasks");
}

/* Adds a cell's AUC less its reference's, task by task. sum: (count). 0: one of the two has another
   number of tasks. */
static int add_tasks(double *sum, int count, const struct meta_report_cell *own,
                     const struct meta_report_cell *reference)
{
    const cJSON *a = tasks_of(own), *b = tasks_of(reference);
    if (cJSON_GetArraySize(a) != count || cJSON_GetArraySize(b) != count || !count) return 0;
    a = a->child;
    b = b->child;
    for (int i = 0; i < count; i++, a = a->next, b = b->next)
        sum[i] += meta_json_get(a, "auc_after") - meta_json_get(b, "auc_after");
    return 1;
}

/* Fills in f->tasks from the trainings that have a difference. */
static int over_tasks(struct meta_report_family *f, const struct meta_report_table *t,
                      const struct meta_report_cell *first)
{
    struct meta_error ignored;
    double *sum = NULL;
    int count = 0, same = 1;
    for (const struct meta_report_cell *c = first; c < t->cells + t->cell_count; c++) {
        if (!same_family(c, first) || !meta_report_difference(t, c)) continue;
        if (!sum) {
            count = cJSON_GetArraySize(tasks_of(c));
            sum = calloc((size_t)count + 1, sizeof *sum);
        }
        if (!sum) return -1;
        same &= add_tasks(sum, count, c, meta_report_reference(t, c));
    }
    for (int i = 0; i < count; i++) sum[i] /= f->difference.n;
    int status = sum && same ? meta_bootstrap(&f->tasks, sum, count, META_RESAMPLES, 1, &ignored)
                             : 0;
    free(sum);
    return status;
}

/* The family whose first cell is `first`. aucs and differences: scratch, (cells of the table). */
static struct meta_report_family family_of(const struct meta_report_table *t,
                                           const struct meta_report_cell *first, double *aucs,
                                           double *differences)
{
    struct meta_report_family f = { .name = first->family,
                                    .shots = first->shots,
                                    .tasks = { NAN, NAN, NAN } };
    const char *reference = NULL;
    int results = 0, pairs = 0, shared = 0;
    for (const struct meta_report_cell *c = first; c < t->cells + t->cell_count; c++) {
        const cJSON *d;
        if (!same_family(c, first)) continue;
        f.count++;
        if (c->result) aucs[results++] = meta_json_get_estimate(c->result, "auc_after").mean;
        d = meta_report_difference(t, c);
        if (!d) continue;
        differences[pairs++] = meta_json_get(d, "mean");
        shared |= reference && !strcmp(reference, c->paired_with);
        reference = c->paired_with;
        f.beside = meta_report_join_beside(f.beside, meta_report_beside(t, c));
    }
    if (!f.beside) f.beside = "";
    f.auc = meta_estimate_share(aucs, sizeof *aucs, results);
    f.difference = meta_estimate(differences, sizeof *differences, pairs);
    if (shared) f.difference = meta_estimate_with(f.difference.mean, NAN, pairs);
    return f;
}

struct meta_report_family *meta_report_families(const struct meta_report_table *t, int *count)
{
    struct meta_report_family *all = calloc(t->cell_count + 1, sizeof *all);
    double *x = malloc((2 * t->cell_count + 1) * sizeof *x);
    int n = 0, failed = 0;
    for (int i = 0; all && x && i < t->cell_count; i++) {
        int known = !*t->cells[i].family;
        for (int k = 0; k < i; k++) known |= same_family(&t->cells[k], &t->cells[i]);
        if (known) continue;
        all[n] = family_of(t, &t->cells[i], x, x + t->cell_count);
        if (all[n].difference.n > 1) failed |= over_tasks(&all[n], t, &t->cells[i]);
        n++;
    }
    *count = all && x && !failed ? n : -1;
    free(x);
    if (*count > 0) return all;
    free(all);
    return NULL;
}
