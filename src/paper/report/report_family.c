/* Gathers the rows that differ in the seed of their training alone, and takes means over them. */
#include "report_family.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int same_family(const struct meta_report_cell *a, const struct meta_report_cell *b)
{
    return a->shots == b->shots && !strcmp(a->family, b->family);
}

/* The family whose first cell is `first`. aucs and differences: scratch, (cells of the table). */
static struct meta_report_family family_of(const struct meta_report_table *t,
                                           const struct meta_report_cell *first, double *aucs,
                                           double *differences)
{
    struct meta_report_family f = { .name = first->family, .shots = first->shots };
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
    }
    f.auc = meta_estimate(aucs, sizeof *aucs, results);
    f.difference = meta_estimate(differences, sizeof *differences, pairs);
    if (shared) f.difference = meta_estimate_with(f.difference.mean, NAN, pairs);
    return f;
}

struct meta_report_family *meta_report_families(const struct meta_report_table *t, int *count)
{
    struct meta_report_family *all = calloc(t->cell_count + 1, sizeof *all);
    double *x = malloc((2 * t->cell_count + 1) * sizeof *x);
    int n = 0;
    for (int i = 0; all && x && i < t->cell_count; i++) {
        int known = !*t->cells[i].family;
        for (int k = 0; k < i; k++) known |= same_family(&t->cells[k], &t->cells[i]);
        if (!known) all[n++] = family_of(t, &t->cells[i], x, x + t->cell_count);
    }
    *count = all && x ? n : -1;
    free(x);
    if (n) return all;
    free(all);
    return NULL;
}
