/* The method prototype: prototypical networks, which score a query image by its distance to the
   mean of each class's support images and take no step in a task. */
#include "inner.h"

/* Each copy of the query images passes beside all copies of the support images. */
static double flops(const struct meta_flops *f, const struct meta_evaluation *e)
{
    const struct meta_inner_steps *s = e->settings;
    int support = e->episode.ways * e->episode.shots, query = e->episode.ways * e->episode.queries;
    int copies = s->copies > 1 ? s->copies : 1;
    return copies * (double)(copies * support + query) * f->pass[META_PASS_FORWARD];
}

const struct meta_method meta_method_prototype = { .name = "prototype",
                                                   .purpose = META_FOR_ANY,
                                                   .pairs = 1,
                                                   .probabilities = 1,
                                                   .learns = 1,
                                                   .reads_bn = 1,
                                                   .tempers = 1,
                                                   .settings_size = sizeof(struct meta_inner_steps),
                                                   .flags = meta_inner_copies_flags,
                                                   .defaults = meta_inner_defaults,
                                                   .check = meta_inner_check_no_steps,
                                                   .describe = meta_inner_describe,
                                                   .add_settings = meta_inner_add_settings,
                                                   .augments = meta_inner_augments,
                                                   .flops = flops,
                                                   .create = meta_inner_create,
                                                   .free = meta_inner_free,
                                                   .run = meta_inner_run };
