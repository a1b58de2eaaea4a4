/* Says what the figures of the valid list are of, so that a training that is resumed compares like
   with like. */
#define _GNU_SOURCE
#include "trainer_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/identity.h"

/* What a figure is of, in words; NULL: no memory. */
static char *words(const struct meta_trainer *t, struct meta_error *error)
{
    struct meta_identity id;
    char *text, images[META_DIGEST_TEXT], classes[META_DIGEST_TEXT];
    const struct meta_episode_settings *e = t->model->episode;
    if (meta_identity(&id, t->valid, error)) return NULL;
    meta_digest_text(images, id.images);
    meta_digest_text(classes, id.classes);
    int written = t->evaluator
        ? asprintf(&text,
                   "%d tasks of %d ways, %d shots, %d queries, %d steps; %d images %.8s-%.8s",
                   t->settings.valid_runs, e->ways, e->shots, e->queries,
                   t->model->inner->test_steps, t->valid->count, images, classes)
        : asprintf(&text, "%d images %.8s-%.8s", t->valid->count, images, classes);
    if (written >= 0) return text;
    meta_fail_memory(error);
    return NULL;
}

/* The last iteration that has a figure in the log. The one that the training goes on from may lack
   it, and then gets it by the next measure. 0: there is no figure, and nothing to compare with. */
static uint64_t last_figure(const struct meta_trainer *t)
{
    for (int i = t->log.count - 1; i >= 0; i--)
        if (!isnan(t->log.rows[i].auc)) return t->log.rows[i].iteration;
    return 0;
}

static int add_line(struct meta_trainer *t, const char *measure, struct meta_error *error)
{
    char *longer;
    if (asprintf(&longer, "%s" META_FINGERPRINT_MEASURE "%llu %s\n", t->fingerprint,
                 (unsigned long long)t->measured_since, measure)
        < 0)
        return meta_fail_memory(error);
    free(t->fingerprint);
    t->fingerprint = longer;
    return 0;
}

int meta_trainer_measure(struct meta_trainer *t, struct meta_error *error)
{
    char *own = NULL, *was = t->measured, *end;
    if (was) {
        t->measured_since = strtoull(was, &end, 10);
        was = end + (*end == ' ');
    }
    if (meta_trainer_watches(t) && !(own = words(t, error))) return -1;
    if (own && was && strcmp(own, was) != 0 && last_figure(t)) {
        t->measured_since = last_figure(t);
        t->remeasured = 1;
        meta_fail(&t->anew,
                  "The valid list's figures were of %s, the next ones are of %s: the best is "
                  "looked for anew",
                  was, own);
    }
    int status = own || was ? add_line(t, own ? own : was, error) : 0;
    free(own);
    return status;
}
