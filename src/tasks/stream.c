/* Makes tasks ahead of use: a ring of iterations that loader threads fill, task by task. */
#define _GNU_SOURCE
#include "stream.h"
#include "base/clock.h"
#include "base/rng.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

struct slot {                   /* one iteration */
    struct meta_batch *batches; /* (own) */
    int *kinds; /* (tasks, ways) the classes that the caller chose; NULL: the sampler draws them */
    int done;   /* own tasks that are made */
};

struct meta_stream {
    struct meta_stream_settings how;
    const struct meta_sampler *sampler; /* NULL: images are drawn one by one */
    const int *outputs;                 /* without a sampler: (set->classes) labels */
    struct meta_episode_settings episode;
    int slots, started; /* started: loaders */
    struct slot *ring;  /* (slots) iteration first + i is in slot i % slots */
    pthread_t *thread;  /* (threads) */
    atomic_int stop;
    pthread_mutex_t mutex;     /* guards all below, and slot.done */
    pthread_cond_t made, room; /* an iteration is complete; there may be a task to begin */
    uint64_t chosen; /* iterations whose classes are known; all of them where the caller does not
                        choose */
    uint64_t
        begun; /* own tasks given to loaders, counted from the first task of iteration `first` */
    uint64_t taken; /* iterations given to the caller; the last of them still holds its slot */
};

/* ---- making a task --------------------------------------------------------------------------- */

static int chosen_by_caller(const struct meta_stream *s)
{
    return s->episode.sampler == META_CURRICULUM;
}

static int batch_create(struct meta_batch *b, const struct meta_stream *s, struct meta_error *error)
{
    size_t image = (size_t)s->how.set->c * s->how.net->height * s->how.net->width;
    size_t support = (size_t)s->episode.ways * s->episode.shots,
           query = (size_t)s->episode.ways * s->episode.queries;
    if (meta_episode_create(&b->episode, &s->episode, error)) return -1;
    b->support = malloc(support * image * sizeof *b->support);
    b->query = malloc(query * image * sizeof *b->query);
    b->support_labels = malloc(support * sizeof *b->support_labels);
    b->query_labels = malloc(query * sizeof *b->query_labels);
    if (!b->support || !b->query || !b->support_labels || !b->query_labels)
        return meta_fail(error, "out of memory for a task of %zu images", support + query);
    for (size_t i = 0; i < support; i++) b->support_labels[i] = i / s->episode.shots;
    for (size_t i = 0; i < query; i++) b->query_labels[i] = i / s->episode.queries;
    return 0;
}

static void batch_free(struct meta_batch *b)
{
    meta_episode_free(b->episode);
    free(b->support);
    free(b->query);
    free(b->support_labels);
    free(b->query_labels);
}

static void draw_images(const struct meta_stream *s, uint64_t iteration, uint32_t task,
                        struct meta_batch *b)
{
    struct meta_rng rng = meta_rng_open(s->how.seed, META_USE_EPISODE, iteration, task, 0);
    for (int i = 0; i < s->episode.queries; i++) {
        b->episode->query[i] = meta_rng_below(&rng, s->how.set->count);
        b->query_labels[i] = s->outputs[s->how.set->label[b->episode->query[i]]];
    }
}

/* Support images have positions 0, 1, ..., query images those after. Gives up halfway when the
   stream stops. */
static void make_task(struct meta_stream *s, uint64_t iteration, uint32_t task,
                      const struct slot *slot)
{
    struct meta_batch *b = &slot->batches[task - (uint32_t)s->how.begin];
    size_t image = (size_t)s->how.set->c * s->how.net->height * s->how.net->width;
    int support = s->episode.ways * s->episode.shots, query = s->episode.ways * s->episode.queries;
    if (!s->sampler) draw_images(s, iteration, task, b);
    else if (slot->kinds)
        meta_episode_draw_kind(s->sampler, slot->kinds + (size_t)task * s->episode.ways,
                               s->how.seed, iteration, task, b->episode);
    else meta_episode_draw(s->sampler, s->how.seed, iteration, task, b->episode);
    for (int i = 0; i < support + query && !atomic_load(&s->stop); i++) {
        struct meta_view view = { s->how.net, s->how.augment, s->how.seed, iteration, task, i };
        if (i < support)
            meta_view_image(s->how.set, b->episode->support[i], &view, b->support + i * image);
        else
            meta_view_image(s->how.set, b->episode->query[i - support], &view,
                            b->query + (i - support) * image);
    }
}

/* Iteration i may be filled once its classes are known and i - slots is no longer held: slots - 1
   lie ahead of the one the caller has. */
static int may_begin(const struct meta_stream *s)
{
    uint64_t index = s->begun / s->how.own;
    return index < s->chosen && index < s->taken + s->slots - (s->taken > 0);
}

static void *load(void *argument)
{
    struct meta_stream *s = argument;
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        while (!s->stop && !may_begin(s)) pthread_cond_wait(&s->room, &s->mutex);
        if (s->stop) break;
        uint64_t index = s->begun / s->how.own;
        int task = s->how.begin + s->begun++ % s->how.own;
        struct slot *slot = &s->ring[index % s->slots];
        pthread_mutex_unlock(&s->mutex);
        make_task(s, s->how.first + index, task, slot);
        pthread_mutex_lock(&s->mutex);
        if (++slot->done == s->how.own) pthread_cond_signal(&s->made);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* ---- the stream ------------------------------------------------------------------------------ */

/* Makes a stream of what `draft` says is drawn, and starts the loaders. */
static int create(struct meta_stream **out, const struct meta_stream *draft,
                  struct meta_error *error)
{
    sigset_t all, old;
    int status = 0, tasks = draft->how.tasks, ahead = draft->how.ahead,
        threads = draft->how.threads;
    const struct meta_dataset *set = draft->how.set;
    struct meta_stream *s = NULL;
    if (tasks < 1 || ahead < 1 || threads < 1)
        return meta_fail(error, "tasks=%d, ahead=%d, threads=%d: must be at least 1", tasks, ahead,
                         threads);
    if (draft->how.net->channels != set->c)
        return meta_fail(error, "%s: was loaded with %d channels: must be the network's %d",
                         set->list, set->c, draft->how.net->channels);
    if (!(s = malloc(sizeof *s))) return meta_fail_memory(error);
    *s = *draft;
    if (!s->how.own) s->how.own = tasks;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->made, NULL);
    pthread_cond_init(&s->room, NULL);
    s->slots = (ahead + tasks - 1) / tasks + 1;
    s->chosen = chosen_by_caller(s) ? 0 : UINT64_MAX;
    s->ring = calloc(s->slots, sizeof *s->ring);
    s->thread = calloc(threads, sizeof *s->thread);
    if (!s->ring || !s->thread) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int i = 0; i < s->slots; i++) {
        struct slot *slot = &s->ring[i];
        slot->batches = calloc(s->how.own, sizeof *slot->batches);
        if (chosen_by_caller(s))
            slot->kinds = calloc((size_t)tasks * s->episode.ways, sizeof *slot->kinds);
        if (!slot->batches || (chosen_by_caller(s) && !slot->kinds)) {
            meta_fail_memory(error);
            goto fail;
        }
        for (int k = 0; k < s->how.own; k++)
            if (batch_create(&slot->batches[k], s, error)) goto fail;
    }
    sigfillset(&all);        /* signals are the caller's, */
    sigdelset(&all, SIGBUS); /* but for a fault of the thread's own */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (s->started < threads
           && !(status = pthread_create(&s->thread[s->started], NULL, load, s)))
        s->started++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status) {
        meta_fail(error, "can't start loader %d of %d: %s", s->started + 1, threads,
                  strerror(status));
        goto fail;
    }
    *out = s;
    return 0;
fail:
    meta_stream_free(s);
    return -1;
}

int meta_stream_create(struct meta_stream **out, const struct meta_stream_settings *how,
                       const struct meta_sampler *sampler,
                       const struct meta_episode_settings *episode, struct meta_error *error)
{
    struct meta_stream draft = { .how = *how, .sampler = sampler, .episode = *episode };
    return create(out, &draft, error);
}

int meta_stream_create_images(struct meta_stream **out, const struct meta_stream_settings *how,
                              const int *outputs, int images, struct meta_error *error)
{
    struct meta_stream draft = { .how = *how,
                                 .outputs = outputs,
                                 .episode = { .ways = 1, .queries = images } };
    return create(out, &draft, error);
}

void meta_stream_free(struct meta_stream *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->mutex);
    atomic_store(&s->stop, 1);
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->mutex);
    for (int i = 0; i < s->started; i++) pthread_join(s->thread[i], NULL);
    for (int i = 0; s->ring && i < s->slots; i++) {
        for (int k = 0; s->ring[i].batches && k < s->how.own; k++)
            batch_free(&s->ring[i].batches[k]);
        free(s->ring[i].batches);
        free(s->ring[i].kinds);
    }
    pthread_cond_destroy(&s->made);
    pthread_cond_destroy(&s->room);
    pthread_mutex_destroy(&s->mutex);
    free(s->ring);
    free(s->thread);
    free(s);
}

void meta_stream_choose(struct meta_stream *s, const int *kinds)
{
    pthread_mutex_lock(&s->mutex);
    memcpy(s->ring[s->chosen++ % s->slots].kinds, kinds,
           (size_t)s->how.tasks * s->episode.ways * sizeof *kinds);
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->mutex);
}

double meta_stream_next(struct meta_stream *s, const struct meta_batch **batches)
{
    double start = meta_now();
    pthread_mutex_lock(&s->mutex);
    if (s->taken) s->ring[(s->taken - 1) % s->slots].done = 0;
    struct slot *slot = &s->ring[s->taken++ % s->slots];
    pthread_cond_broadcast(&s->room); /* the slot of the iteration before is free */
    while (slot->done < s->how.own) pthread_cond_wait(&s->made, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    for (int k = 0; k < s->how.tasks; k++) {
        int own = k - s->how.begin;
        batches[k] = own >= 0 && own < s->how.own ? &slot->batches[own] : NULL;
    }
    return meta_now() - start;
}
