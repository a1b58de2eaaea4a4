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

/* Whether image i stays when `out` is left out. Of each other class with at least two images, the
   one in the same place goes too. */
static int stays(const struct leaving *l, int i, int out)
{
    const struct meta_support *s = l->support;
    const int *groups = l->how->groups;
    int own = s->labels[i], others = count(s, own, s->n);
    if (i == out || (groups && groups[out] >= 0 && groups[i] == groups[out])) return 0;
    return own == s->labels[out] || others == 1
        || count(s, own, i) != count(s, s->labels[out], out) % others;
}

/* Whether every class still has an image when `out` is left out. */
static int can_do_without(const struct leaving *l, int out)
{
    for (int k = 0; k < l->support->classes; k++) {
        int left = 0;
        for (int i = 0; i < l->support->n; i++)
            left += stays(l, i, out) && l->support->labels[i] == k;
        if (!left) return 0;
    }
    return 1;
}

static int ask(struct leaving *l, int out, struct meta_error *error)
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
        if (!stays(l, i, out)) continue;
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
    l->how->predicted[out] = can_do_without(l, out);
    if (!l->how->predicted[out] || !ask(l, out, &why)) return;
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
