/* `darknet meta compare`: pairs two results of `darknet meta test` task by task. */
#include "base/plural.h"
#include "flags.h"
#include "evaluation/scores.h"
#include "stats/estimate.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* letter: "A" or "B". */
static void print_one(const char *letter, const struct meta_scores *s)
{
    struct meta_estimate e = meta_estimate_share(s->after, sizeof *s->after, s->count);
    int named = *s->method && strcmp(s->method, "maml");
    printf("%s  %s%s%s", letter, s->cfg, *s->weights ? ", " : "", s->weights);
    if (s->weights_count > 1) printf(" and %d more", s->weights_count - 1);
    printf("%s%s", named ? ", " : "", named ? s->method : "");
    if (s->copies > 1) printf(", %d copies of each image", s->copies);
    if (s->with) printf(", averaged with %d other test%s", s->with, meta_plural(s->with));
    if (*s->temper) printf(" at temperatures %s", s->temper);
    putchar('\n');
    printf("   AUC after %.4f", e.mean);
    if (e.n > 1) printf(", standard error %.4f", e.error);
    e = meta_estimate_share(s->accuracy, sizeof *s->accuracy, s->count);
    if (!isnan(e.mean)) printf("; accuracy after %.4f", e.mean);
    if (!isnan(e.low)) printf(" (%.4f to %.4f)", e.low, e.high);
    putchar('\n');
    if (s->diverged)
        printf("   %d of its tasks diverged: their outputs are not numbers, their AUC counts as "
               "0.5\n",
               s->diverged);
}

static const char *word(double low, double high)
{
    return meta_difference_word(low, high, "B is better", "A is better", "no clear difference");
}

int meta_command_compare(int argc, char **argv)
{
    struct meta_scores a = { 0 }, b = { 0 };
    struct meta_error error;
    struct meta_difference d;
    const struct meta_syntax syntax = { "compare A.json B.json", 2, 2, NULL, 0 };
    meta_flags_parse(argc, argv, &syntax);
    if (meta_scores_read(&a, argv[0], &error) || meta_scores_read(&b, argv[1], &error)
        || meta_scores_difference(&a, &b, &d, &error))
        goto fail;
    printf("%d task%s: %s\n", a.count, meta_plural(a.count), a.settings);
    if (a.by_path)
        puts("both files tell images by their paths, as version 1.0 of this program did: that the "
             "images were the same can't be seen from them");
    print_one("A", &a);
    print_one("B", &b);
    printf("B - A  %+.4f", d.tasks.mean);
    if (isnan(d.tasks.low)) puts("; one task tells nothing");
    else
        printf(", 95%% interval %+.4f to %+.4f (%d bootstrap samples of the paired differences): "
               "%s\n",
               d.tasks.low, d.tasks.high, META_RESAMPLES, word(d.tasks.low, d.tasks.high));
    if (!isnan(d.other_groups.low))
        printf("   of other groups: %+.4f to %+.4f (the %d groups of the images drawn anew, "
               "too): %s\n",
               d.other_groups.low, d.other_groups.high, a.groups.count,
               word(d.other_groups.low, d.other_groups.high));
    else if (a.query_alone || b.query_alone)
        printf("   of other groups: not known: %s has the influence of query images alone, as "
               "version 1.0 of this program had\n",
               a.query_alone ? a.path : b.path);
    if (!isnan(d.accuracy.low))
        printf("   of accuracy: %+.4f, 95%% interval %+.4f to %+.4f: %s\n", d.accuracy.mean,
               d.accuracy.low, d.accuracy.high, word(d.accuracy.low, d.accuracy.high));
    meta_scores_clear(&a);
    meta_scores_clear(&b);
    return 0;
fail:
    meta_scores_clear(&a);
    meta_scores_clear(&b);
    return meta_complain(&error);
}
