/* What a run will take, memory and hours, from a few iterations on random data in a process of their own. */
#define _GNU_SOURCE
#include "doctor.h"
#include "tasks/batch.h"
#include "base/clock.h"
#include "base/duration.h"
#include "evaluation/evaluate.h"
#include "learning/outer_loop.h"
#include "base/rng.h"
#include "training/trainer.h"
#include "base/plural.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- the child: a training run without files ------------------------------------------------------------------------------- */

struct bed {
    struct meta_dataset set;
    struct meta_pool *pool, *task_pool;
    struct meta_sampler *sampler;
    struct meta_stream *stream;
    struct meta_outer *outer;
    struct meta_evaluator *evaluator;
    const struct meta_batch **batches;
    float *parameters, *statistics;
};

/* As many images as one task takes, of noise, as large as the data set's will be kept. */
static int make_images(struct meta_dataset *set, const struct meta_model *m, struct meta_error *error)
{
    const struct meta_episode_settings *e = m->episode;
    int side = m->net.width > m->net.height ? m->net.width : m->net.height, each = e->shots + e->queries;
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    if (m->net.max_crop > side) side = m->net.max_crop;
    *set = (struct meta_dataset){ .count = e->ways * each, .classes = e->ways, .c = m->net.channels, .list = strdup("random images") };
    set->paths = calloc(set->count, sizeof *set->paths);
    set->names = calloc(set->classes, sizeof *set->names);
    set->lines = calloc(set->count, sizeof *set->lines);
    set->label = calloc(set->count, sizeof *set->label);
    set->group = calloc(set->count, sizeof *set->group);
    set->w = calloc(set->count, sizeof *set->w);
    set->h = calloc(set->count, sizeof *set->h);
    set->pixels = calloc(set->count, sizeof *set->pixels);
    if (!set->list || !set->paths || !set->names || !set->lines || !set->label || !set->group || !set->w || !set->h || !set->pixels) goto memory;
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

static int make_bed(struct bed *b, const struct meta_doctor *d, struct meta_error *error)
{
    const struct meta_model *m = d->model;
    const struct meta_network *net = m->network;
    const struct meta_backend *backend = &meta_backend_onednn;
    struct meta_episode_settings episode = *m->episode;
    struct meta_evaluation valid = { .episode = episode, .steps = m->inner->test_steps, .learning_rate = m->inner->learning_rate,
                                     .runs = 2 * d->threads, .seed = 1 };
    episode.sampler = META_UNIFORM;                        /* a curriculum takes no time, and needs rewards */
    b->parameters = calloc(net->parameters + 1, sizeof *b->parameters);
    b->statistics = calloc(net->statistics + 1, sizeof *b->statistics);
    b->batches = calloc(episode.tasks, sizeof *b->batches);
    if (!b->parameters || !b->statistics || !b->batches) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (make_images(&b->set, m, error) || meta_pool_create(&b->pool, d->threads, error)
        || meta_pool_create(&b->task_pool, d->threads < episode.tasks ? d->threads : episode.tasks, error)
        || meta_outer_create(&b->outer, m, backend, b->task_pool, 1, error) || meta_sampler_create(&b->sampler, &b->set, &episode, error)
        || meta_stream_create(&b->stream, b->sampler, &b->set, &episode, &m->net, 1, 1, 1, episode.tasks, META_AHEAD * episode.tasks,
                              META_LOADERS(d->threads), error)) return -1;
    if (d->data->valid && meta_evaluator_create(&b->evaluator, m, backend, b->pool, &b->set, &valid, error)) return -1;
    meta_network_initialise(net, 1, b->parameters, b->statistics);
    meta_outer_upload(b->outer, b->parameters, b->statistics);
    return 0;
}

static void clear_bed(struct bed *b)
{
    meta_stream_free(b->stream);
    meta_evaluator_free(b->evaluator);
    meta_outer_free(b->outer);
    meta_sampler_free(b->sampler);
    meta_pool_free(b->task_pool);
    meta_pool_free(b->pool);
    for (int i = 0; b->set.pixels && i < b->set.count; i++) free(b->set.pixels[i]);
    free(b->set.pixels);
    free(b->set.paths);
    free(b->set.names);
    free(b->set.lines);
    free(b->set.label);
    free(b->set.group);
    free(b->set.w);
    free(b->set.h);
    free(b->set.list);
    free(b->batches);
    free(b->parameters);
    free(b->statistics);
}

#define BLOCKS 5               /* a spell's least and most are means over blocks of time: what lasts seconds in a run of hours averages out */

static void add_block(struct meta_spell *s, double seconds)
{
    s->middle += seconds / BLOCKS;
    s->least = fmin(s->least, seconds);
    s->most = fmax(s->most, seconds);
}

/* As meta_trainer_step does it, at rate 0: the optimiser does all its work and changes nothing. The first time fills caches and memory
   and does not count. */
static int time_iterations(struct bed *b, uint64_t iteration, double seconds, struct meta_spell *spell, struct meta_error *error)
{
    struct meta_outer_result r;
    *spell = (struct meta_spell){ 0, INFINITY, 0 };
    for (int block = -1; block < BLOCKS; block++) {
        double begun = meta_now(), took = 0;
        int n = 0;
        while (!n || (block >= 0 && took < seconds / BLOCKS)) {
            meta_stream_next(b->stream, b->batches);
            if (meta_outer_step(b->outer, b->batches, iteration, 0, &r, error)) return -1;
            n++;
            took = meta_now() - begun;
        }
        if (block >= 0) add_block(spell, took / n);
    }
    return 0;
}

static struct meta_spell time_valid(struct bed *b, const struct meta_doctor *d)
{
    struct meta_spell spell = { 0, INFINITY, 0 };
    for (int block = -1; block < BLOCKS; block++) {
        double begun = meta_now();
        meta_evaluator_run(b->evaluator, meta_outer_parameters(b->outer), NULL, NULL);
        if (block >= 0) add_block(&spell, (meta_now() - begun) / (2 * d->threads));
    }
    return spell;
}

/* Iterations that are of order 2. */
static int exact_iterations(const struct meta_model *m)
{
    int last = m->net.max_batches, start = m->inner->second_order_start;
    return m->inner->order != 2 || start > last ? 0 : start > 1 ? last - start + 1 : last;
}

int meta_trial_serve(void *doctor, double *numbers, struct meta_error *error)
{
    const struct meta_doctor *d = doctor;
    const struct meta_spell none = { NAN, NAN, NAN };
    int last = d->model->net.max_batches, exact = exact_iterations(d->model);
    struct meta_trial t = { none, none, none, 0, 0 };
    struct bed b = { 0 };
    struct rusage usage;
    int status = -1;
    _Static_assert(sizeof t <= META_CHILD_NUMBERS * sizeof *numbers, "a trial is an answer");
    if (make_bed(&b, d, error)) goto fail;
    if (exact < last && time_iterations(&b, 1, d->seconds, &t.first, error)) goto fail;
    if (exact && time_iterations(&b, last, d->seconds, &t.second, error)) goto fail;
    if (b.evaluator) t.valid = time_valid(&b, d);
    getrusage(RUSAGE_SELF, &usage);
    t.peak = usage.ru_maxrss * 1024.;
    t.kept = meta_outer_bytes(b.outer);
    memcpy(numbers, &t, sizeof t);
    status = 0;
fail:
    clear_bed(&b);
    return status;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------- */

/* The number after `key` in a file of the kernel's, or the first one with "". NaN: there is none, or it is "max". */
static double kernel_number(const char *path, const char *key)
{
    char line[256];
    double value = NAN;
    FILE *f = fopen(path, "re");
    while (f && isnan(value) && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%lf", &value) != 1) value = NAN;
    if (f) fclose(f);
    return value;
}

double meta_memory_available(void)
{
    struct rlimit limit;
    double free = 1024 * kernel_number("/proc/meminfo", "MemAvailable:"), used = kernel_number("/proc/self/statm", "") * sysconf(_SC_PAGESIZE);
    /* of a container's own view, version 2 and 1 */
    free = fmin(free, kernel_number("/sys/fs/cgroup/memory.max", "") - kernel_number("/sys/fs/cgroup/memory.current", ""));
    free = fmin(free, kernel_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "") - kernel_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", ""));
    if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY) free = fmin(free, limit.rlim_cur - used);
    return free;
}

static const char remedy[] = "fewer -threads, keep=1 or order=1 in [inner_loop], or smaller images (max_crop, width, height in [net])";

static double dataset_bytes(const struct meta_doctor *d)
{
    return (double)d->ward[META_WARD_TRAIN].survey.bytes + d->ward[META_WARD_VALID].survey.bytes;
}

static void tell_memory(struct meta_doctor *d, const struct meta_trial *t, double available)
{
    /* a child that was forked has the libraries' pages without their being counted */
    double images = dataset_bytes(d), libraries = 1024 * kernel_number("/proc/self/status", "RssFile:");
    double need = images + t->peak + t->kept + d->reading + (isnan(libraries) ? 0 : libraries);
    enum meta_verdict verdict = need > available ? META_WRONG : need > .8 * available ? META_WARNING : META_OK;
    meta_doctor_say(d, verdict, "memory", "%.2f GB expected (images %.2f, %d thread%s %.2f), %.2f GB available%s%s", need / 1e9, images / 1e9, d->threads,
                    meta_plural(d->threads), (need - images) / 1e9, available / 1e9, verdict == META_OK ? "" : ": ", verdict == META_OK ? "" : remedy);
}

/* ---- hours -------------------------------------------------------------------------------------------------------------------- */

static double or_none(double count, double seconds) { return count > 0 ? count * seconds : 0; }

static void tell_time(struct meta_doctor *d, const struct meta_trial *t)
{
    const struct meta_model *m = d->model;
    int last = m->net.max_batches, exact = exact_iterations(m);
    /* every META_VALID_EVERY, and at the end */
    double tasks = d->data->valid ? (double)META_VALID_RUNS * (last / META_VALID_EVERY + (last % META_VALID_EVERY != 0)) : 0;
    double seconds[3], loading = d->ward[META_WARD_TRAIN].seconds + d->ward[META_WARD_VALID].seconds;
    char text[3][32], busy[80] = "";
    for (int i = 0; i < 3; i++) {
        const double *first = &t->first.middle, *second = &t->second.middle, *valid = &t->valid.middle;
        seconds[i] = loading + or_none(last - exact, first[i]) + or_none(exact, second[i]) + or_none(tasks, valid[i]);
        meta_format_time(text[i], sizeof *text, seconds[i]);
    }
    if (d->load > .5) snprintf(busy, sizeof busy, "; other programs kept %.1f of %d processors busy before", d->load, meta_pool_cores());
    double each = or_none(last - exact, t->first.middle) + or_none(exact, t->second.middle);
    meta_doctor_say(d, META_OK, "time", "%s expected on %d thread%s, %s to %s by the fastest and slowest fifth of a trial: %.3g s an iteration%s", text[0],
                    d->threads, meta_plural(d->threads), text[1], text[2], each / last, busy);
}

void meta_doctor_run(struct meta_doctor *d)
{
    double numbers[META_CHILD_NUMBERS], available = meta_memory_available();
    struct meta_trial trial;
    struct meta_error error;
    if (!d->child || !d->ward[META_WARD_TRAIN].set || d->model->net.max_batches < 1) return;
    if (meta_child_ask(d->child, "iterations on random data", numbers, &error)) {
        meta_doctor_say(d, META_WRONG, "memory", "%s; %.2f GB are available: if that was for want of memory, %s", error.text, available / 1e9, remedy);
        return;
    }
    memcpy(&trial, numbers, sizeof trial);
    tell_memory(d, &trial, available);
    tell_time(d, &trial);
}
