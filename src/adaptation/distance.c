/* Computes a network as far as its first normalised layer, and compares the image's statistics
   there with the rolling ones. */
#include "distance.h"

#include <math.h>
#include <stdlib.h>

struct meta_distance {
    struct meta_network *images; /* of a network that pairs, the layers before: they see an image */
    const struct meta_filled *filled;
    const struct meta_backend *backend;
    const struct meta_layer
        *layer;                   /* the first that is normalised; NULL: no image has a distance */
    struct meta_program *program; /* of one image */
    void *parameters;             /* a backend vector */
    float *mean, *variance;       /* (layer->filters) of the image */
};

static const struct meta_layer *first_normalised(const struct meta_filled *f)
{
    const struct meta_network *net = f->network;
    for (int i = 0; i < (net->ways ? net->pairing : net->count); i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->mean == META_NONE) continue;
        if (l->out.w * l->out.h < 2) return NULL; /* one pixel has no variance */
        for (int c = 0; c < l->filters; c++)
            if (f->statistics[l->variance + c] > 0) return l;
        return NULL;
    }
    return NULL;
}

int meta_distance_create(struct meta_distance **out, const struct meta_filled *filled,
                         const struct meta_backend *backend, struct meta_error *error)
{
    const struct meta_network *net = filled->network;
    struct meta_distance *d = calloc(1, sizeof *d);
    if (!d) return meta_fail_memory(error);
    d->filled = filled;
    d->backend = backend;
    if ((d->layer = first_normalised(filled))) {
        if (net->ways) {
            if (meta_network_cut(&d->images, net, net->pairing, 0, error)) goto fail;
            d->layer = d->images->layers + (d->layer - net->layers);
            net = d->images;
        }
        if (meta_program_create(&d->program, net, backend,
                                (struct meta_program_settings){ .query = 1,
                                                                .passes = META_FORWARD },
                                error))
            goto fail;
        d->parameters = backend->allocate(net->parameters * backend->element);
        d->mean = malloc(d->layer->filters * sizeof *d->mean);
        d->variance = malloc(d->layer->filters * sizeof *d->variance);
        if (!d->parameters || !d->mean || !d->variance) {
            meta_fail(error, "out of memory for %zu parameters", net->parameters);
            goto fail;
        }
        backend->upload(d->parameters, filled->parameters, net->parameters);
    }
    *out = d;
    return 0;
fail:
    meta_distance_free(d);
    return -1;
}

void meta_distance_free(struct meta_distance *d)
{
    if (!d) return;
    meta_program_free(d->program);
    meta_network_free(d->images);
    if (d->parameters) d->backend->release(d->parameters);
    free(d->mean);
    free(d->variance);
    free(d);
}

/* The mean of the two Kullback-Leibler divergences between normal distributions, (m, v) and the
   rolling one: 0 where they are equal. The floor keeps rounding from counting. */
static double divergence(double m, double v, double rolling_m, double rolling_v)
{
    double d = (m - rolling_m) * (m - rolling_m), floor = 1e-6;
    v += floor;
    rolling_v += floor;
    return .25 * ((v + d) / rolling_v + (rolling_v + d) / v - 2);
}

double meta_distance_of(struct meta_distance *d, const float *image, struct meta_error *error)
{
    const struct meta_layer *l = d->layer;
    const float *rolling = d->filled->statistics;
    double sum = 0;
    int label = 0;
    if (!l) return 0;
    meta_program_load(d->program, image, &label);
    meta_program_normalised(d->program, d->parameters, l, d->mean, d->variance);
    if (meta_program_failed(d->program, error)) return NAN;
    for (int c = 0; c < l->filters; c++)
        sum += divergence(d->mean[c], d->variance[c], rolling[l->mean + c],
                          rolling[l->variance + c]);
    if (isnan(sum)) meta_fail(error, "the distance from what the network knows is no number");
    return sum / l->filters;
}
