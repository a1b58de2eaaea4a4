#include "command.h"
#include "results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 10000

static int check_pairing(const struct meta_scores *a, const struct meta_scores *b, struct meta_error *error)
{
    if (strcmp(a->settings, b->settings))
        return meta_fail(error, "%s and %s can't be paired: %s against %s", a->path, b->path, a->settings, b->settings);
    if (a->count != b->count)
        return meta_fail(error, "%s and %s can't be paired: %d tasks against %d", a->path, b->path, a->count, b->count);
    for (int i = 0; i < a->count; i++)
        if (a->images[i] != b->images[i])
            return meta_fail(error, "%s and %s can't be paired: task %d has other images", a->path, b->path, i);
    return 0;
}

static void print_one(const char *letter, const struct meta_scores *s)
{
    struct meta_estimate e = meta_estimate(s->after, sizeof *s->after, s->count);
    int other = *s->method && strcmp(s->method, "maml");
    printf("%s  %s, %s%s%s\n   AUC after %.4f", letter, s->cfg, s->weights, other ? ", " : "", other ? s->method : "", e.mean);
    if (e.n > 1) printf(", standard error %.4f", e.error);
    putchar('\n');
}

int meta_command_compare(int argc, char **argv)
{
    struct meta_scores a = {0}, b = {0};
    struct meta_error error;
    double *difference = NULL;
    meta_flags_parse(argc, argv, NULL, 0, 2, 2, "compare A.json B.json");
    if (meta_scores_read(&a, argv[0], &error) || meta_scores_read(&b, argv[1], &error) || check_pairing(&a, &b, &error)) goto fail;
    difference = malloc((a.count + 1) * sizeof *difference);
    if (!difference) { meta_fail(&error, "out of memory"); goto fail; }
    for (int i = 0; i < a.count; i++) difference[i] = b.after[i] - a.after[i];
    struct meta_bootstrap d = meta_bootstrap(difference, a.count, RESAMPLES, 1);
    printf("%d tasks: %s\n", a.count, a.settings);
    print_one("A", &a);
    print_one("B", &b);
    printf("B - A  %+.4f", d.mean);
    if (isnan(d.low)) puts("; one task tells nothing");
    else printf(", 95%% interval %+.4f to %+.4f (%d bootstrap samples of the paired differences): %s\n", d.low, d.high, RESAMPLES,
                d.low > 0 ? "B is better" : d.high < 0 ? "A is better" : "no clear difference");
    free(difference);
    meta_scores_clear(&a);
    meta_scores_clear(&b);
    return 0;
fail:
    free(difference);
    meta_scores_clear(&a);
    meta_scores_clear(&b);
    return meta_complain(&error);
}
