/* Keeps the moments of the update rules, and has the backend apply them. */
#include "optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Neighbouring parameters that decay alike. */
struct slice {
    size_t offset, count;
    double decay;
};

struct meta_optimiser {
    const struct meta_backend *backend;
    size_t parameters;
    int adam;
    double momentum, B1, B2, eps, decay, clip;
    int64_t t;            /* updates done */
    void *first, *second; /* (parameters) m and v with adam, else u and NULL */
    int slices;
    struct slice *slice; /* adam=0 */
};

static void add_slice(struct meta_optimiser *o, size_t offset, size_t count, double decay)
{
    struct slice *last = o->slices ? &o->slice[o->slices - 1] : NULL;
    if (last && last->decay == decay && last->offset + last->count == offset) last->count += count;
    else o->slice[o->slices++] = (struct slice){ offset, count, decay };
}

/* Adds slices in ascending order of offset, so that neighbours are joined; weights.h has the order
   within a layer. */
static void find_slices(struct meta_optimiser *o, const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        size_t at = l->weights;
        for (int k = 0; k < l->array_count; at += l->arrays[k++].count)
            add_slice(o, at, l->arrays[k].count, l->arrays[k].decays ? o->decay : 0);
        if (l->biases == META_NONE) continue;
        add_slice(o, l->biases, meta_layer_rows(l), 0);
        if (l->scales != META_NONE && l->scales < l->weights)
            add_slice(o, l->scales, meta_layer_rows(l), 0);
        add_slice(o, l->weights, l->weight_count, o->decay);
        if (l->scales != META_NONE && l->scales > l->weights)
            add_slice(o, l->scales, meta_layer_rows(l), 0);
    }
}

int meta_optimiser_create(struct meta_optimiser **out, const struct meta_network *net,
                          const struct meta_backend *backend, const struct meta_net_settings *s,
                          struct meta_error *error)
{
    struct meta_optimiser *o = calloc(1, sizeof *o);
    if (!o) goto fail;
    o->backend = backend;
    o->parameters = net->parameters;
    o->adam = s->adam;
    o->momentum = s->momentum;
    o->B1 = s->B1;
    o->B2 = s->B2;
    o->eps = s->eps;
    o->decay = s->decay;
    o->clip = s->clip;
    o->slice = calloc(META_MOST_ARRAYS * net->count + 1, sizeof *o->slice);
    o->first = backend->allocate(o->parameters * backend->element);
    if (!o->first || !o->slice) goto fail;
    if (o->adam && !(o->second = backend->allocate(o->parameters * backend->element))) goto fail;
    if (!o->adam) find_slices(o, net);
    *out = o;
    return 0;
fail:
    meta_optimiser_free(o);
    return meta_fail(error, "out of memory for the optimiser");
}

void meta_optimiser_free(struct meta_optimiser *o)
{
    if (!o) return;
    if (o->first) o->backend->release(o->first);
    if (o->second) o->backend->release(o->second);
    free(o->slice);
    free(o);
}

int meta_optimiser_finite(const struct meta_optimiser *o)
{
    const struct meta_backend *b = o->backend;
    return isfinite(b->dot(o->first, o->first, o->parameters))
        && (!o->second || isfinite(b->dot(o->second, o->second, o->parameters)));
}

void meta_optimiser_reset(struct meta_optimiser *o)
{
    o->t = 0;
    o->backend->set(o->first, o->parameters, 0);
    if (o->second) o->backend->set(o->second, o->parameters, 0);
}

static void *part(const struct meta_optimiser *o, void *vector, size_t offset)
{
    return (char *)vector + offset * o->backend->element;
}

double meta_optimiser_step(struct meta_optimiser *o, void *p, void *gradient, double rate)
{
    const struct meta_backend *b = o->backend;
    double norm = sqrt(b->dot(gradient, gradient, o->parameters));
    if (!isfinite(norm)) return norm;
    if (o->clip > 0 && norm > o->clip) b->scale(gradient, o->parameters, o->clip / norm);
    o->t++;
    if (o->adam)
        b->adam(p, gradient, o->first, o->second, o->parameters, rate, o->B1, o->B2, o->eps,
                o->decay, o->t);
    else
        for (int i = 0; i < o->slices; i++) {
            const struct slice *s = &o->slice[i];
            b->momentum(part(o, p, s->offset), part(o, gradient, s->offset),
                        part(o, o->first, s->offset), s->count, rate, o->momentum, s->decay);
        }
    return norm;
}

void meta_vector_save(const struct meta_backend *b, const void *vector, size_t n, void *out)
{
    if (b->element == sizeof(float)) b->download(out, vector, n);
    else b->download_double(out, vector, n);
}

void meta_vector_load(const struct meta_backend *b, void *vector, size_t n, const void *in)
{
    if (b->element == sizeof(float)) b->upload(vector, in, n);
    else b->upload_double(vector, in, n);
}

size_t meta_optimiser_bytes(const struct meta_optimiser *o)
{
    return sizeof o->t + (o->second ? 2 : 1) * o->parameters * o->backend->element;
}

/* The vectors come first: they keep the alignment of `out`. */
void meta_optimiser_save(const struct meta_optimiser *o, void *out)
{
    size_t bytes = o->parameters * o->backend->element;
    char *at = out;
    meta_vector_save(o->backend, o->first, o->parameters, at);
    at += bytes;
    if (o->second) {
        meta_vector_save(o->backend, o->second, o->parameters, at);
        at += bytes;
    }
    memcpy(at, &o->t, sizeof o->t);
}

void meta_optimiser_load(struct meta_optimiser *o, const void *in)
{
    size_t bytes = o->parameters * o->backend->element;
    const char *at = in;
    meta_vector_load(o->backend, o->first, o->parameters, at);
    at += bytes;
    if (o->second) {
        meta_vector_load(o->backend, o->second, o->parameters, at);
        at += bytes;
    }
    memcpy(&o->t, at, sizeof o->t);
}
