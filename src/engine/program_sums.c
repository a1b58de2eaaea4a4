/* What products are by the output of a program's body, added up over the products. */
#include "program_internal.h"

#include <stdlib.h>

static size_t numbers(const struct meta_program *p, int t)
{
    return p->low.tensors[t].batch * p->backend->image(p->low.tensors[t].shape);
}

int meta_program_allocate_sums(struct meta_program *p, struct meta_error *error)
{
    if (p->passes != META_TANGENTS || !p->low.body) return 0;
    if (!(p->sums = calloc(p->low.tensor_count, sizeof *p->sums))) return meta_fail_memory(error);
    for (int t = 0; t < p->low.tensor_count; t++) {
        size_t bytes = numbers(p, t) * p->backend->element;
        if (!meta_lowered_hands_on(&p->low, t)) continue;
        if (!(p->sums[t] = p->backend->allocate(bytes))) return meta_fail_memory(error);
        p->bytes += bytes;
    }
    return 0;
}

void meta_program_free_sums(struct meta_program *p)
{
    for (int t = 0; p->sums && t < p->low.tensor_count; t++)
        if (p->sums[t]) p->backend->release(p->sums[t]);
    free(p->sums);
}

void meta_program_begin_product(struct meta_program *p)
{
    for (int t = 0; p->sums && t < p->low.tensor_count; t++)
        if (p->sums[t]) p->backend->set(p->planes[t].dot, numbers(p, t), 0);
}

void meta_program_add_to_sums(struct meta_program *p)
{
    for (int t = 0; p->sums && t < p->low.tensor_count; t++)
        if (p->sums[t]) p->backend->axpy(p->sums[t], numbers(p, t), 1, p->planes[t].bardot);
}

void meta_program_take_sums(struct meta_program *p)
{
    for (int t = 0; p->sums && t < p->low.tensor_count; t++) {
        if (!p->sums[t]) continue;
        p->backend->copy(p->planes[t].bar, p->sums[t], numbers(p, t));
        p->backend->set(p->sums[t], numbers(p, t), 0);
    }
}
