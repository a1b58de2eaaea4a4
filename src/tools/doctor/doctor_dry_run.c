/* The dry run: a training without files, on random data, whose iterations are timed. */
#include "backends/backends.h"
#include "base/clock.h"
#include "base/rng.h"
#include "doctor_dry_run.h"
#include "evaluation/evaluate.h"
#include "learning/outer_loop.h"
#include "tasks/stream.h"
#include "training/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Blocks of time that a range's least and most are means over: what lasts seconds in a training of
   hours averages out in each. */
#define BLOCKS 5

/* What a training has while it runs. */
struct rig {
    struct meta_dataset set;
    struct meta_pool *pool, *task_pool;
    struct meta_sampler *sampler;
    struct meta_stream *stream;
    struct meta_outer *outer;
    struct meta_evaluator *evaluator;
    const struct meta_batch **batches;
    float *parameters, *statistics;
};

/* Makes as many images of noise as one task takes, as large as the data set keeps its own.
   clear_rig frees them, also after a failure. */
static int make_images(struct meta_dataset *set, const struct meta_model *m,
                       struct meta_error *error)
{
    const struct meta_episode_settings *e = m->episode;
    int side = m->net.width > m->net.height ? m->net.width : m->net.height,
        each = e->shots + e->queries;
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    if (m->net.max_crop > side) side = m->net.max_crop;
    *set = (struct meta_dataset){ .count = e->ways * each,
                                  .classes = e->ways,
                                  .c = m->net.channels,
                                  .list = strdup("random images") };
    set->paths = calloc(set->count, sizeof *set->paths);
    set->digests = calloc(set->count, sizeof *set->digests);
    set->names = calloc(set->classes, sizeof *set->names);
    set->lines = calloc(set->count, sizeof *set->lines);
    set->label = calloc(set->count, sizeof *set->label);
    set->group = calloc(set->count, sizeof *set->group);
    set->w = calloc(set->count, sizeof *set->w);
    set->h = calloc(set->count, sizeof *set->h);
    set->pixels = calloc(set->count, sizeof *set->pixels);
    if (!set->list || !set->paths || !set->names || !set->lines || !set->label || !set->group
        || !set->w || !set->h || !set->pixels || !set->digests)
        goto memory;
    for (int k = 0; k < set->classes; k++) set->names[k] = "random";
    for (int i = 0; i < set->count; i++) {
        size_t bytes = (size_t)side * side * set->c;
        set->paths[i] = "random";
        set->label[i] = i / each;
        set->group[i] = -1;
        set->w[i] = set->h[i] = side;
        if (!(set->pixels[i] = malloc(bytes))) goto memory;
        for (size_t k = 0; k < bytes; k++) set->pixels[i][k] = meta_rng_word(&rng);
    }
    return 0;
memory:
    return meta_fail(error, "out of memory for %d images of %dx%d", set->count, side, side);
}

static int make_rig(struct rig *rig, const struct meta_doctor *d, struct meta_error *error)
{
    const struct meta_model *m = d->model;
    const struct meta_network *net = m->network;
    const struct meta_backend *backend = meta_backend_default();
    struct meta_episode_settings episode = *m->episode;
    struct meta_evaluation valid = { .episode = episode, .runs = 2 * d->threads, .seed = 1 };
    const struct meta_stream_settings how = { .set = &rig->set,
                                              .net = &m->net,
                                              .augment = 1,
                                              .seed = 1,
                                              .first = 1,
                                              .tasks = episode.tasks,
                                              .ahead = META_AHEAD(episode.tasks),
                                              .threads = META_LOADERS(d->threads) };
    episode.sampler = META_UNIFORM; /* a curriculum takes no time, and needs rewards */
    rig->parameters = calloc(net->parameters + 1, sizeof *rig->parameters);
    rig->statistics = calloc(net->statistics + 1, sizeof *rig->statistics);
    rig->batches = calloc(episode.tasks, sizeof *rig->batches);
    if (!rig->parameters || !rig->statistics || !rig->batches)
        return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (make_images(&rig->set, m, error) || meta_pool_create(&rig->pool, d->threads, error)
        || meta_pool_create(&rig->task_pool,
                            d->threads < episode.tasks ? d->threads : episode.tasks, error)
        || meta_outer_create(&rig->outer,
                             &(struct meta_outer_parts){ m, backend, rig->task_pool, 1, NULL,
                                                         NULL },
                             error)
        || meta_sampler_create(&rig->sampler, &rig->set, &episode, error)
        || meta_stream_create(&rig->stream, &how, rig->sampler, &episode, error))
        return -1;
    struct meta_evaluation_parts parts = { m, backend, rig->pool, &rig->set, NULL };
    valid.rates = meta_learned_rates(meta_outer_rates(rig->outer));
    if (d->data->valid && meta_evaluator_create(&rig->evaluator, &parts, &valid, error)) return -1;
    meta_network_initialise(net, 1, rig->parameters, rig->statistics);
    meta_outer_upload(rig->outer, rig->parameters, rig->statistics);
    return 0;
}

static void clear_rig(struct rig *rig)
{
    meta_stream_free(rig->stream);
    meta_evaluator_free(rig->evaluator);
    meta_outer_free(rig->outer);
    meta_sampler_free(rig->sampler);
    meta_pool_free(rig->task_pool);
    meta_pool_free(rig->pool);
    for (int i = 0; rig->set.pixels && i < rig->set.count; i++) free(rig->set.pixels[i]);
    free(rig->set.pixels);
    free(rig->set.paths);
    free(rig->set.names);
    free(rig->set.lines);
    free(rig->set.label);
    free(rig->set.group);
    free(rig->set.w);
    free(rig->set.h);
    free(rig->set.list);
    free(rig->batches);
    free(rig->parameters);
    free(rig->statistics);
}

/* Adds a block of iterations of `seconds` each. */
static void add_block(struct meta_timing_range *range, double seconds)
{
    range->middle += seconds / BLOCKS;
    range->least = fmin(range->least, seconds);
    range->most = fmax(range->most, seconds);
}

/* Times iterations as meta_trainer_step does them, at rate 0: the optimiser does all its work and
   changes nothing. The first iteration fills caches and memory and does not count. */
static int time_iterations(struct rig *rig, uint64_t iteration, double seconds,
                           struct meta_timing_range *range, struct meta_error *error)
{
    struct meta_outer_result r;
    *range = (struct meta_timing_range){ 0, INFINITY, 0 };
    for (int block = -1; block < BLOCKS; block++) {
        double begun = meta_now(), took = 0;
        int n = 0;
        while (!n || (block >= 0 && took < seconds / BLOCKS)) {
            meta_stream_next(rig->stream, rig->batches);
            if (meta_outer_step(rig->outer, rig->batches, iteration, 0, &r, error)) return -1;
            n++;
            took = meta_now() - begun;
        }
        if (block >= 0) add_block(range, took / n);
    }
    return 0;
}

/* Times the tasks of a valid AUC. */
static struct meta_timing_range time_valid(struct rig *rig, const struct meta_doctor *d)
{
    struct meta_timing_range range = { 0, INFINITY, 0 };
    for (int block = -1; block < BLOCKS; block++) {
        double begun = meta_now();
        meta_evaluator_run(rig->evaluator, meta_outer_parameters(rig->outer), NULL, NULL);
        if (block >= 0) add_block(&range, (meta_now() - begun) / (2 * d->threads));
    }
    return range;
}

static int kind_of(const struct meta_inner_settings *s, int iteration)
{
    int exact = s->order == 2 && iteration >= s->second_order_start;
    int scored = s->order && s->steps > 1 && iteration <= s->multi_step;
    return (exact ? META_ITERATION_EXACT : 0) + (scored ? META_ITERATION_SCORED : 0);
}

struct meta_iterations meta_dry_run_iterations(const struct meta_model *m, int done)
{
    struct meta_iterations all = { { 0 }, { 0 } };
    /* the last iterations of one kind, and that of all */
    const int ends[] = { m->inner->second_order_start - 1, m->inner->multi_step,
                         m->net.max_batches };
    for (int end; done < m->net.max_batches; done = end) {
        int kind = kind_of(m->inner, done + 1);
        end = m->net.max_batches;
        for (int i = 0; i < 3; i++)
            if (ends[i] > done && ends[i] < end) end = ends[i];
        if (!all.count[kind]) all.first[kind] = done + 1;
        all.count[kind] += end - done;
    }
    return all;
}

int meta_dry_run_serve(void *doctor, double *numbers, struct meta_error *error)
{
    const struct meta_doctor *d = doctor;
    const struct meta_timing_range none = { NAN, NAN, NAN };
    const struct meta_iterations all = meta_dry_run_iterations(d->model, d->done);
    struct meta_dry_run run = { { none, none, none, none }, none, 0, 0, -1 };
    const char *implementation;
    struct rig rig = { 0 };
    struct rusage usage;
    int status = -1;
    _Static_assert(sizeof run <= META_CHILD_NUMBERS * sizeof *numbers,
                   "a dry run is one answer of a "
                   "child");
    if (make_rig(&rig, d, error)) goto fail;
    for (int k = 0; k < META_ITERATION_KINDS; k++)
        if (all.count[k]
            && time_iterations(&rig, all.first[k], d->seconds, &run.iteration[k], error))
            goto fail;
    if (rig.evaluator) run.valid = time_valid(&rig, d);
    if (rig.evaluator && meta_evaluator_status(rig.evaluator, error)) goto fail;
    getrusage(RUSAGE_SELF, &usage);
    run.peak = usage.ru_maxrss * 1024.;
    run.kept = meta_outer_bytes(rig.outer);
    run.slow = meta_outer_slow_layer(rig.outer, &implementation);
    memcpy(numbers, &run, sizeof run);
    status = 0;
fail:
    clear_rig(&rig);
    return status;
}
