/* Keeps the results of all tasks of a test. */
#include "run_store.h"
#include "curve.h"
#include "stats/roc.h"

#include <stdlib.h>

/* An array of which each task has a part of the same size. */
struct array {
    void **at;
    size_t bytes; /* of one task */
};
enum { ARRAYS = 7 };

/* All that a result points to. */
static void list_arrays(struct meta_run_store *s, struct array arrays[ARRAYS])
{
    const struct meta_evaluation *own = s->evaluation;
    size_t ways = (size_t)own->episode.ways, queries = ways * (size_t)own->episode.queries,
           room = ways == 2 ? 2 * queries + 1 : 0, points = 0;
    if (own->method->curve_epochs)
        points = (size_t)meta_curve_points(own->method->curve_epochs(own->settings));
    arrays[0] = (struct array){ (void **)&s->classes, ways * sizeof *s->classes };
    arrays[1] = (struct array){ (void **)&s->pairs, ways * (ways - 1) * sizeof *s->pairs };
    arrays[2] = (struct array){ (void **)&s->wins, queries * sizeof *s->wins };
    arrays[3] = (struct array){ (void **)&s->ranks, room };
    arrays[4] = (struct array){ (void **)&s->rocs, room ? 0 : META_ROC_POINTS * sizeof *s->rocs };
    arrays[5] = (struct array){ (void **)&s->curves, 2 * points * sizeof *s->curves };
    arrays[6] = (struct array){ (void **)&s->log_odds,
                                own->keep_answers ? queries * ways * sizeof *s->log_odds : 0 };
}

/* Sets what the results point to. */
static void point_runs(struct meta_run_store *s)
{
    const struct meta_episode_settings *t = &s->evaluation->episode;
    struct array arrays[ARRAYS];
    list_arrays(s, arrays);
    size_t pairs = (size_t)t->ways * (t->ways - 1) / 2, room = arrays[3].bytes,
           points = arrays[4].bytes / sizeof *s->rocs,
           epochs = arrays[5].bytes / 2 / sizeof *s->curves,
           answers = arrays[6].bytes / sizeof *s->log_odds;
    for (size_t r = 0; r < (size_t)s->evaluation->runs; r++) {
        struct meta_run *run = &s->runs[r];
        run->classes = s->classes + r * (size_t)t->ways;
        run->pairs_before = s->pairs + r * 2 * pairs;
        run->pairs_after = run->pairs_before + pairs;
        run->wins = s->wins + r * (size_t)t->ways * (size_t)t->queries;
        run->ranks = room ? s->ranks + r * room : NULL;
        run->roc = points ? s->rocs + r * points : NULL;
        run->curve_loss = epochs ? s->curves + r * 2 * epochs : NULL;
        run->curve_auc = epochs ? run->curve_loss + epochs : NULL;
        run->log_odds = answers ? s->log_odds + r * answers : NULL;
    }
}

static int fail_memory(const struct meta_run_store *s, struct meta_error *error)
{
    return meta_fail(error, "out of memory for %d runs", s->evaluation->runs);
}

int meta_run_store_create(struct meta_run_store *s, const struct meta_evaluation *evaluation,
                          struct meta_error *error)
{
    size_t runs = (size_t)evaluation->runs;
    *s = (struct meta_run_store){ .evaluation = evaluation };
    struct array arrays[ARRAYS];
    list_arrays(s, arrays);
    if (!(s->runs = calloc(runs, sizeof *s->runs))) return fail_memory(s, error);
    for (int i = 0; i < ARRAYS; i++)
        if (arrays[i].bytes && !(*arrays[i].at = calloc(runs, arrays[i].bytes)))
            return fail_memory(s, error);
    point_runs(s);
    return 0;
}

void meta_run_store_clear(struct meta_run_store *s)
{
    free(s->runs);
    free(s->classes);
    free(s->pairs);
    free(s->wins);
    free(s->rocs);
    free(s->ranks);
    free(s->curves);
    free(s->log_odds);
    *s = (struct meta_run_store){ 0 };
}

int meta_run_store_gather(struct meta_run_store *s, struct meta_transport *ranks,
                          struct meta_error *error)
{
    size_t runs = (size_t)s->evaluation->runs;
    struct array arrays[ARRAYS];
    list_arrays(s, arrays);
    if (meta_transport_gather(ranks, s->runs, runs, sizeof *s->runs, error)) return -1;
    point_runs(s); /* the others' results came with pointers of theirs */
    for (int i = 0; i < ARRAYS; i++)
        if (arrays[i].bytes
            && meta_transport_gather(ranks, *arrays[i].at, runs, arrays[i].bytes, error))
            return -1;
    return 0;
}
