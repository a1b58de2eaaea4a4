/* What of an outer loop a checkpoint holds, and whether it is made of numbers: phi, with sites that
   average what they began with, the optimiser's vectors and count, the learned rates, then the
   statistics. */
#include <string.h>

#include "finite.h"
#include "outer_internal.h"

int meta_outer_check(const struct meta_outer *o, struct meta_error *error)
{
    const struct meta_finite f = {
        o->model, o->backend, o->optimiser, o->phi, o->rolling, o->rates
    };
    return meta_finite_check(&f, error);
}

static size_t start_bytes(const struct meta_outer *o)
{
    return o->start ? o->numbers * o->backend->element : 0;
}

size_t meta_outer_bytes(const struct meta_outer *o)
{
    return o->model->network->parameters * o->backend->element + start_bytes(o)
        + meta_optimiser_bytes(o->optimiser) + meta_learned_bytes(o->rates)
        + o->model->network->statistics * sizeof(float);
}

void meta_outer_save(const struct meta_outer *o, void *out)
{
    const struct meta_network *net = o->model->network;
    char *at = out;
    meta_vector_save(o->backend, o->phi, net->parameters, at);
    at += net->parameters * o->backend->element;
    if (o->start) meta_vector_save(o->backend, o->start, o->numbers, at);
    at += start_bytes(o);
    meta_optimiser_save(o->optimiser, at);
    at += meta_optimiser_bytes(o->optimiser);
    meta_learned_save(o->rates, at);
    at += meta_learned_bytes(o->rates);
    memcpy(at, o->rolling, net->statistics * sizeof(float));
}

void meta_outer_load(struct meta_outer *o, const void *in)
{
    const struct meta_network *net = o->model->network;
    const char *at = in;
    meta_vector_load(o->backend, o->phi, net->parameters, at);
    at += net->parameters * o->backend->element;
    if (o->start) meta_vector_load(o->backend, o->start, o->numbers, at);
    at += start_bytes(o);
    meta_optimiser_load(o->optimiser, at);
    at += meta_optimiser_bytes(o->optimiser);
    meta_learned_read(o->rates, at);
    at += meta_learned_bytes(o->rates);
    memcpy(o->rolling, at, net->statistics * sizeof(float));
}
