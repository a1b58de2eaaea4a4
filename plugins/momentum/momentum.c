/* [momentum], in place of [inner_loop]: m_(s+1) = momentum m_s + g_s, phi_(s+1) = phi_s -
   learning_rate m_(s+1) - decay learning_rate phi_s, with m_0 = 0: Polyak's heavy ball as an inner
   loop. With only=SECTION the steps move the layers of that section alone: with only=film the
   contexts, as CAVIA does (Zintgraf et al., ICML 2019), but from where the training has them. */
#include <string.h>
#include "plugin.h"

struct settings {
    struct meta_inner_settings inner;
    double momentum, decay;
    char *only;
};

#define OF(field) offsetof(struct settings, field)

static const struct meta_option options[] = {
    { "steps", META_INT, 5, 0, 1000, NULL, OF(inner.steps),
      "gradient steps on the support images, in training" },
    { "test_steps", META_INT, 10, 0, 1000, NULL, OF(inner.test_steps), "gradient steps at test" },
    { "learning_rate", META_REAL, .01, 0, 10, NULL, OF(inner.learning_rate), "of each step" },
    { "momentum", META_REAL, .9, 0, .999999, NULL, OF(momentum),
      "what a step keeps of the direction of the one before" },
    { "decay", META_REAL, 0, 0, 10, NULL, OF(decay), "of the numbers that a step moves" },
    { "order", META_INT, 2, 1, 2, NULL, OF(inner.order),
      "2: the exact meta-gradient; 1: without the Hessian" },
    { "second_order_start", META_INT, 0, 0, 1000000000, NULL, OF(inner.second_order_start),
      "with order=2: the meta-iterations before it go without the Hessian" },
    { "keep", META_INT, 0, 0, 1000, NULL, OF(inner.keep),
      "with order=2: steps whose activations stay in memory, the rest is computed again; 0: all" },
    { "multi_step", META_INT, 0, 0, 1000000000, NULL, OF(inner.multi_step),
      "iterations over which the losses after earlier steps fade out; 0: the last alone" },
    { "only", META_TEXT, 0, 0, 0, NULL, OF(only),
      "the section whose layers the steps move; absent: all layers" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static int memories(const void *settings) { return 1; }

static int moves(const void *settings, const struct meta_moved *part)
{
    const struct settings *s = settings;
    return !s->only || !strcmp(s->only, part->section);
}

static void step(const void *settings, const struct meta_step *a)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < a->part->count; i++) {
        a->memory[i] = s->momentum * a->memory[i] + a->gradient[i];
        a->phi[i] -= a->rate * (a->memory[i] + s->decay * a->phi[i]);
    }
}

static void back(const void *settings, const struct meta_step *a)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < a->part->count; i++) {
        double m = a->memorybar[i] - a->rate * a->phibar[i];
        a->phibar[i] *= 1 - a->rate * s->decay;
        a->gradientbar[i] = m;
        a->memorybar[i] = s->momentum * m;
    }
}

static const struct meta_inner_functions functions = { memories, moves, step, back };

const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "momentum",
    .role = META_ROLE_INNER_LOOP,
    .summary = "inner steps with momentum; in place of [inner_loop]",
    .settings_size = sizeof(struct settings),
    .options = options,
    .inner = &functions,
};
