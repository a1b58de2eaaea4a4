/* Computes leave-one-out and distances of the images that a network is adapted to. */
#include "support_check.h"
#include "engine/log_odds.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- leave one out --------------------------------------------------------------------------- */

struct leaving {
    const struct meta_base *base;
    const struct meta_support *support;
    const struct meta_leave_one_out *how;
    size_t image;          /* the numbers of one image */
    pthread_mutex_t mutex; /* guards `failed` and `error` */
    int failed;
    struct meta_error *error;
};

static int count(const struct meta_support *s, int class, int before)
{
    int n = 0;
    for (int i = 0; i < before; i++) n += s->labels[i] == class;
    return n;
}

/* The images of a class that stay. */
static int count_staying(const struct meta_support *s, const unsigned char *stays, int class)
{
    int n = 0;
    for (int i = 0; i < s->n; i++) n += stays[i] && s->labels[i] == class;
    return n;
}

/* The image of a class that has `place` of its class before it. */
static int find(const struct meta_support *s, int class, int place)
{
    int i = 0;
    while (s->labels[i] != class || place--) i++;
    return i;
}

/* Which images stay, stays (n), when `out` is left out: none of its group, and of each other class
   no more than are as many fewer, or one. There those go that are in the place of `out` and behind,
   from the last on to the first. */
static void choose(const struct leaving *l, int out, unsigned char *stays)
{
    const struct meta_support *s = l->support;
    const int *groups = l->how->groups;
    int own = s->labels[out], place = count(s, own, out);
    for (int i = 0; i < s->n; i++)
        stays[i] = i != out && !(groups && groups[out] >= 0 && groups[i] == groups[out]);
    int gone = count(s, own, s->n) - count_staying(s, stays, own);
    for (int k = 0; k < s->classes; k++) {
        int all = count(s, k, s->n), left = count_staying(s, stays, k);
        int least = all - gone > 1 ? all - gone : 1;
        for (int step = 0; k != own && left > least; step++) {
            int i = find(s, k, (place + step) % all);
            left -= stays[i];
            stays[i] = 0;
        }
    }
}

/* Whether every class still has an image. */
static int can_do_without(const struct meta_support *s, const unsigned char *stays)
{
    for (int k = 0; k < s->classes; k++)
        if (!count_staying(s, stays, k)) return 0;
    return 1;
}

static int ask(struct leaving *l, int out, const unsigned char *stays, struct meta_error *error)
{
    const struct meta_support *s = l->support;
    struct meta_adapted *a = NULL;
    float *images = malloc(s->n * l->image * sizeof *images);
    int *labels = malloc(s->n * sizeof *labels), n = 0, status = -1;
    double *own = l->how->log_odds + (size_t)out * s->classes;
    if (!images || !labels) {
        meta_fail(error, "out of memory for %d images", s->n);
        goto fail;
    }
    for (int i = 0; i < s->n; i++) {
        if (!stays[i]) continue;
        memcpy(images + n * l->image, s->images + i * l->image, l->image * sizeof *images);
        labels[n++] = s->labels[i];
    }
    struct meta_support others = { images, labels, n, s->classes, s->plain, s->copies };
    if (meta_adapt(&a, l->base, &others, l->how->steps, error)) goto fail;
    status = meta_adapted_predict(a, l->how->bn, s->images + out * l->image, 1,
                                  (struct meta_answer){ .log_odds = own }, error);
    if (!status && meta_log_odds_lack(own, s->classes))
        status = meta_fail(error, "the answer is no number");
fail:
    meta_adapted_free(a);
    free(images);
    free(labels);
    return status;
}

static void leave(void *context, int out, int worker)
{
    struct leaving *l = context;
    struct meta_error why;
    unsigned char *stays = malloc(l->support->n);
    int status = stays ? 0 : meta_fail_memory(&why);
    if (!status) {
        choose(l, out, stays);
        l->how->predicted[out] = can_do_without(l->support, stays);
        if (l->how->predicted[out]) status = ask(l, out, stays, &why);
    }
    free(stays);
    if (!status) return;
    pthread_mutex_lock(&l->mutex);
    if (!l->failed++)
        meta_fail(l->error, "leave-one-out, without %s: %s", l->how->paths[out], why.text);
    pthread_mutex_unlock(&l->mutex);
}

int meta_leave_one_out(const struct meta_base *base, const struct meta_support *s,
                       const struct meta_leave_one_out *how, struct meta_error *error)
{
    struct leaving l = { .base = base,
                         .support = s,
                         .how = how,
                         .image = meta_shape_numbers(base->filled.network->input),
                         .mutex = PTHREAD_MUTEX_INITIALIZER,
                         .error = error };
    meta_pool_run(how->pool, s->n, leave, &l);
    return l.failed ? -1 : 0;
}

double meta_mean_over_classes(const int *right, const int *asked, int classes, double *cases)
{
    double sum = 0, inverse = 0;
    int count = 0;
    for (int k = 0; k < classes; k++) {
        if (!asked[k]) continue;
        sum += (double)right[k] / asked[k];
        inverse += 1. / asked[k];
        count++;
    }
    *cases = count ? count * count / inverse : 0;
    return sum / count;
}

/* ---- distance from the training data --------------------------------------------------------- */

int meta_find_distance(const struct meta_base *base, const float *images, int n, double *distance,
                       struct meta_error *error)
{
    size_t image = meta_shape_numbers(base->filled.network->input);
    struct meta_distance *d;
    if (meta_distance_create(&d, &base->filled, base->backend, error)) return -1;
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        distance[i] = meta_distance_of(d, images + i * image, error);
        if (isnan(distance[i])) status = -1;
    }
    meta_distance_free(d);
    return status;
}
