/* Prints the results of `meta test`. */
#include "test_print.h"
#include "base/plural.h"
#include "evaluation/methods.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_estimate(const char *name, struct meta_estimate e)
{
    printf("%-16s %7.4f", name, e.mean);
    if (e.n > 1) printf("   %6.4f   %6.4f to %6.4f", e.error, e.low, e.high);
    putchar('\n');
}

/* The mean of one field of the runs, of numbers from `least` to `most`. */
static void print_within(const char *name, const double *first, int runs, double least, double most)
{
    struct meta_estimate e = meta_estimate(first, sizeof(struct meta_run), runs);
    print_estimate(name, meta_estimate_within(e, least, most));
}

static int print_pairs(const struct meta_results *r, struct meta_error *error)
{
    const struct meta_dataset *d = r->dataset;
    struct meta_pair_row *rows;
    int count, width = 10;
    if (meta_results_pairs(&rows, &count, r->runs, r->evaluation, error)) return -1;
    for (int i = 0; i < count; i++) {
        int n = strlen(d->names[rows[i].a]) + strlen(d->names[rows[i].b]) + 3;
        if (n > width) width = n;
    }
    const char *before = meta_evaluation_learns(r->evaluation) ? "   AUC before" : "";
    printf("\n%-*s   tasks%s   AUC after   95%% interval\n", width, "classes", before);
    for (int i = 0; i < count; i++) {
        const char *a = d->names[rows[i].a], *b = d->names[rows[i].b];
        printf("%s - %s%*s   %5d", a, b, width - (int)strlen(a) - (int)strlen(b) - 3, "",
               rows[i].after.n);
        if (*before) printf("   %10.4f", rows[i].before.mean);
        printf("   %9.4f", rows[i].after.mean);
        if (rows[i].after.n > 1) printf("   %6.4f to %6.4f", rows[i].after.low, rows[i].after.high);
        putchar('\n');
    }
    free(rows);
    return 0;
}

int meta_print_results(const struct meta_results *results, struct meta_error *error)
{
    const struct meta_run *runs = results->runs;
    const struct meta_evaluation *e = results->evaluation;
    struct meta_estimate other = results->other_groups;
    int failed = 0, learns = meta_evaluation_learns(e);
    printf("                    mean    error   95%% interval, %d task%s\n", e->runs,
           meta_plural(e->runs));
    if (learns)
        print_estimate("AUC before", meta_estimate_share(&runs->auc_before, sizeof *runs, e->runs));
    print_estimate("AUC after", meta_estimate_share(&runs->auc_after, sizeof *runs, e->runs));
    if (!isnan(other.low)) print_estimate("  other groups", other);
    if (learns) print_within("AUC gain", &runs->auc_gain, e->runs, -1, 1);
    if (learns)
        print_estimate("accuracy before",
                       meta_estimate_share(&runs->accuracy_before, sizeof *runs, e->runs));
    print_estimate("accuracy after",
                   meta_estimate_share(&runs->accuracy_after, sizeof *runs, e->runs));
    if (e->method->probabilities) {
        print_within("NLL", &runs->calibration.nll, e->runs, 0, INFINITY);
        print_within("Brier score", &runs->calibration.brier, e->runs, 0,
                     meta_calibration_worst(e->episode.ways));
        print_estimate("ECE", results->ece);
    }
    for (int i = 0; i < e->runs; i++) failed += runs[i].failed;
    if (!isnan(other.low))
        printf("other groups: as if the %d groups of the images had been drawn anew, too\n",
               results->groups->count);
    if (failed)
        printf("%d of the tasks diverged: their outputs are not numbers, their AUC counts as 0.5\n",
               failed);
    return print_pairs(results, error);
}
