/* Rewrites [shortcut] with factors, or between maps of two sizes. */
#include "portable_internal.h"

#include <stdlib.h>

/* The convolution that takes from a map of a's size what Darknet's shortcut adds to one of b's:
   every pixel at a multiple of the stride. Returns 0 where there is none. */
static int find_sampling(struct meta_shape a, struct meta_shape b, struct meta_diagonal *d)
{
    d->stride = a.w / b.w;
    if (!d->stride) return 0;
    for (d->size = 1; d->size <= 2 * d->stride + 1; d->size++)
        for (d->padding = 0; d->padding < d->size; d->padding++) {
            int w = a.w + 2 * d->padding - d->size, h = a.h + 2 * d->padding - d->size;
            if (w < 0 || h < 0 || w / d->stride + 1 != b.w || h / d->stride + 1 != b.h) continue;
            if (d->size > 1 || (d->stride == 1 && !d->padding)) return 1;
        }
    return 0;
}

/* What [shortcut] i needs to be one without factors between maps of one size. */
struct shortcut_plan {
    int possible, addend; /* addend: of a layer of its own */
    struct meta_diagonal here, there;
};

static struct shortcut_plan plan_shortcut(const struct meta_rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    struct meta_shape a = r->net->layers[l->from[0]].out, b = l->in;
    int shared = a.c < b.c ? a.c : b.c;
    struct shortcut_plan p = {
        .here = { b.c, shared, l->alpha, 1, .size = 1, .stride = 1, .activation = META_LINEAR },
        .there = { b.c, shared, l->beta, 0, .activation = META_LINEAR },
    };
    p.addend = l->beta != 1 || a.w != b.w || a.h != b.h;
    p.possible = (l->alpha == 1 || meta_rewrite_affordable(b.c, b.c, 1))
        && (!p.addend
            || (find_sampling(a, b, &p.there)
                && meta_rewrite_affordable(b.c, a.c, (size_t)p.there.size * p.there.size)));
    return p;
}

static int add_route(struct meta_rewrite *r, int to)
{
    int *from = malloc(sizeof *from);
    if (!from) return meta_fail_memory(r->error);
    *from = to;
    return meta_rewrite_add(r,
                            (struct meta_layer){
                                .type = META_ROUTE, .from_count = 1, .from = from });
}

int meta_rewrite_add_addends(struct meta_rewrite *r, int i)
{
    int added = 0;
    for (int k = i + 1; k < r->net->count; k++) {
        const struct meta_layer *l = &r->net->layers[k];
        if (l->type != META_SHORTCUT || l->from[0] != i) continue;
        struct shortcut_plan p = plan_shortcut(r, k);
        if (!p.possible || !p.addend) continue;
        if ((added && add_route(r, r->place[i])) || meta_rewrite_add_diagonal(r, p.there))
            return -1;
        r->addend[k] = meta_rewrite_last_index(r);
        added = 1;
    }
    return added ? add_route(r, r->place[i]) : 0;
}

int meta_rewrite_shortcut(struct meta_rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    struct shortcut_plan p = plan_shortcut(r, i);
    if (!p.possible) return meta_rewrite_copy(r, i);
    if (l->alpha != 1 && meta_rewrite_add_diagonal(r, p.here)) return -1;
    if (meta_rewrite_copy(r, i)) return -1;
    meta_rewrite_last(r)->alpha = meta_rewrite_last(r)->beta = 1;
    if (p.addend) *meta_rewrite_last(r)->from = r->addend[i];
    return 0;
}
