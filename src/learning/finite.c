/* Looks for numbers that are not finite in what an update has left, and for their cause. */
#include "finite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* dot adds in double: no finite float's square overflows. */
static int finite_vector(const struct meta_backend *b, const void *x, size_t n)
{
    return isfinite(b->dot(x, x, n));
}

static int finite_floats(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return isfinite(sum);
}

static int layer_has(const struct meta_layer *l, size_t i)
{
    return (i >= l->weights && i < l->weights + l->weight_count)
        || (i >= l->biases && i < l->biases + meta_layer_rows(l))
        || (l->scales != META_NONE && i >= l->scales && i < l->scales + meta_layer_rows(l));
}

/* The layer of the first parameter that is not finite; NULL where there is none. */
static const struct meta_layer *find_layer(const struct meta_finite *f)
{
    const struct meta_network *net = f->model->network;
    const struct meta_layer *found = NULL;
    float *x = malloc((net->parameters + 1) * sizeof *x);
    size_t at = 0;
    if (!x) return NULL;
    f->backend->download(x, f->phi, net->parameters);
    while (at < net->parameters && isfinite(x[at])) at++;
    for (int i = 0; i < net->count && at < net->parameters && !found; i++)
        if (net->layers[i].weights != META_NONE && layer_has(&net->layers[i], at))
            found = &net->layers[i];
    free(x);
    return found;
}

static const struct meta_layer *find_statistics(const struct meta_finite *f)
{
    const struct meta_network *net = f->model->network;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->mean == META_NONE) continue;
        if (!finite_floats(f->rolling + l->mean, l->filters)
            || !finite_floats(f->rolling + l->variance, l->filters))
            return l;
    }
    return NULL;
}

static int fail(const struct meta_finite *f, const char *what, const struct meta_layer *l,
                struct meta_error *error)
{
    const char *mend = "a lower learning_rate, or clip in [net], may help";
    const struct meta_net_settings *net = &f->model->net;
    if (net->adam && net->eps == 0)
        mend = "[net] eps=0 divides by 0 where a gradient's square is 0: it must be above 0";
    if (!l) return meta_fail(error, "%s are not finite: %s", what, mend);
    return meta_fail(error, "%s of [%s] (%s:%d) are not finite: %s", what, meta_layer_name(l),
                     f->model->path, l->line, mend);
}

int meta_finite_check(const struct meta_finite *f, struct meta_error *error)
{
    const struct meta_network *net = f->model->network;
    if (!finite_vector(f->backend, f->phi, net->parameters))
        return fail(f, "the parameters", find_layer(f), error);
    if (!meta_optimiser_finite(f->optimiser))
        return fail(f, "the optimiser's moments", NULL, error);
    if (!meta_learned_finite(f->rates))
        return fail(f, "the learned rates of [inner_loop], or their moments,", NULL, error);
    if (!finite_floats(f->rolling, net->statistics))
        return fail(f, "the rolling statistics", find_statistics(f), error);
    return 0;
}
