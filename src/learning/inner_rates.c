/* Moves parameters by the rates of inner steps, and multiplies vectors by them. */
#include "inner_rates.h"

const struct meta_layer *meta_rates_head(const struct meta_network *net)
{
    const struct meta_layer *l = &net->layers[net->count - 1];
    while (l > net->layers && l->weights == META_NONE) l--;
    return l;
}

/* A layer's biases come first of its arrays (network/weights.h). */
struct meta_rates meta_rates_fixed(const struct meta_network *net, double gamma, int head)
{
    size_t first = head ? meta_rates_head(net)->biases : 0;
    return (struct meta_rates){ .gamma = gamma, .first = first, .count = net->parameters - first };
}

int meta_rates_plain(const struct meta_rates *r) { return !r->first; }

static void *part(const struct meta_backend *b, const void *vector, size_t offset)
{
    return (char *)vector + offset * b->element;
}

void meta_rates_step(const struct meta_rates *r, const struct meta_backend *b, void *to,
                     const void *g)
{
    b->axpy(part(b, to, r->first), r->count, -r->gamma, part(b, g, r->first));
}

void meta_rates_multiply(const struct meta_rates *r, const struct meta_backend *b, void *out,
                         const void *v)
{
    void *moved = part(b, out, r->first);
    b->set(out, r->first, 0);
    b->copy(moved, part(b, v, r->first), r->count);
    b->scale(moved, r->count, r->gamma);
}
