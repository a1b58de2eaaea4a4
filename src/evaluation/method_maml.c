/* The method maml: steps of the inner loop (Eq. 2) on the support images. */
#include "inner.h"

static double flops(const struct meta_flops *f, const struct meta_evaluation *e)
{
    const struct meta_inner_steps *s = e->settings;
    int support = e->episode.ways * e->episode.shots, query = e->episode.ways * e->episode.queries;
    int copies = s->copies > 1 ? s->copies : 1;
    return copies
        * (support * meta_flops_steps(f, s->steps) + 2 * query * f->pass[META_PASS_FORWARD]);
}

const struct meta_method meta_method_maml = { .name = "maml",
                                              .purpose = META_FOR_TASKS,
                                              .probabilities = 1,
                                              .learns = 1,
                                              .reads_bn = 1,
                                              .tempers = 1,
                                              .reads_rates = 1,
                                              .settings_size = sizeof(struct meta_inner_steps),
                                              .flags = meta_inner_copies_flags,
                                              .defaults = meta_inner_defaults,
                                              .describe = meta_inner_describe,
                                              .add_settings = meta_inner_add_settings,
                                              .augments = meta_inner_augments,
                                              .flops = flops,
                                              .create = meta_inner_create,
                                              .free = meta_inner_free,
                                              .run = meta_inner_run };
