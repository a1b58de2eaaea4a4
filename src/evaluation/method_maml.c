/* The method maml: steps of the inner loop (Eq. 2) on the support images. */
#include "images/turns.h"
#include "inner.h"

static const struct meta_method_flag flags[] = {
    { "-steps", "N", META_INNER_STEPS_HELP, offsetof(struct meta_inner_steps, steps), 0, 0, 1000 },
    { "-augment", "N",
      "maml: learns from N copies of each support image and averages N of each query image: flips "
      "and quarter turns first (1)",
      offsetof(struct meta_inner_steps, copies), 0, 1, 64 },
    { NULL, NULL, NULL, 0, 0, 0, 0 }
};

static int augments(const struct meta_model *model, const void *settings)
{
    const struct meta_shape in = model->network->input;
    return ((const struct meta_inner_steps *)settings)->copies > meta_turns(in.h, in.w);
}

static double flops(const struct meta_flops *f, const struct meta_evaluation *e)
{
    const struct meta_inner_steps *s = e->settings;
    int support = e->episode.ways * e->episode.shots, query = e->episode.ways * e->episode.queries;
    int copies = s->copies > 1 ? s->copies : 1;
    return copies
        * (s->steps * support * meta_flops_gradient(f) + 2 * query * f->pass[META_PASS_FORWARD]);
}

const struct meta_method meta_method_maml = { .name = "maml",
                                              .purpose = META_FOR_TASKS,
                                              .probabilities = 1,
                                              .learns = 1,
                                              .reads_bn = 1,
                                              .tempers = 1,
                                              .reads_rates = 1,
                                              .settings_size = sizeof(struct meta_inner_steps),
                                              .flags = flags,
                                              .defaults = meta_inner_defaults,
                                              .describe = meta_inner_describe,
                                              .add_settings = meta_inner_add_settings,
                                              .augments = augments,
                                              .flops = flops,
                                              .create = meta_inner_create,
                                              .free = meta_inner_free,
                                              .run = meta_inner_run };
