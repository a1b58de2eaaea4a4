/* The parameters of a network with rotations=4, before a pass and after it: spread out to where the
   operations look for them, and what comes out added up. */
#include "program_internal.h"

static const void *spread(const struct meta_program *p, const void *tied, void *full)
{
    const struct meta_tie *tie = p->low.tie;
    if (!tie) return tied;
    p->backend->gather(full, tied, tie->source, tie->full->parameters);
    return full;
}

const void *meta_program_theta(struct meta_program *p, const void *parameters)
{
    return spread(p, parameters, p->theta);
}

const void *meta_program_along(struct meta_program *p, const void *v) { return spread(p, v, p->v); }

void *meta_program_untied(struct meta_program *p, void *gradient)
{
    return p->low.tie ? p->untied : gradient;
}

/* The derivative by a number that stands in several places is the sum of those by the places. */
void meta_program_tie(struct meta_program *p, void *gradient)
{
    const struct meta_tie *tie = p->low.tie;
    if (!tie) return;
    p->backend->set(gradient, p->network->parameters, 0);
    p->backend->scatter(gradient, p->untied, tie->source, tie->full->parameters);
}

int meta_program_allocate_untied(struct meta_program *p, struct meta_error *error)
{
    if (!p->low.tie) return 0;
    size_t bytes = p->low.tie->full->parameters * p->backend->element;
    void **vectors[] = { &p->theta, &p->untied, &p->v };
    for (int i = 0; i < (p->passes == META_TANGENTS ? 3 : 2); i++) {
        if (!(*vectors[i] = p->backend->allocate(bytes))) return meta_fail_memory(error);
        p->bytes += bytes;
    }
    return 0;
}
