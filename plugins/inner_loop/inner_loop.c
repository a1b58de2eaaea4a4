/* [inner_loop]: how a task is learned from its support images. The defaults are MAML's. */
#include "plugin.h"

#define OF(field) offsetof(struct meta_inner_settings, field)

static const struct meta_option options[] = {
    { "steps", META_INT, 5, 0, 1000, NULL, OF(steps),
      "gradient steps on the support images, in training" },
    { "test_steps", META_INT, 10, 0, 1000, NULL, OF(test_steps), "gradient steps at test" },
    { "learning_rate", META_REAL, .01, 0, 10, NULL, OF(learning_rate), "gamma, of each step" },
    { "order", META_INT, 2, 0, 2, NULL, OF(order),
      "2: the exact meta-gradient; 1: without the Hessian; 0: the steps' sum (Reptile)" },
    { "second_order_start", META_INT, 0, 0, 1000000000, NULL, OF(second_order_start),
      "with order=2: the meta-iterations before it go without the Hessian" },
    { "keep", META_INT, 0, 0, 1000, NULL, OF(keep),
      "order=2: steps whose activations stay in memory, others are computed again; 0: all" },
    { "adapt", META_CHOICE, META_ADAPT_ALL, 0, 0, "all|head", OF(adapt),
      "all: the steps move every layer; head: the last one with parameters (ANIL)" },
    { "rates", META_CHOICE, META_RATES_FIXED, 0, 0, "fixed|layer|parameter", OF(rates),
      "fixed: learning_rate; learned from there: each layer's at each step, each parameter's" },
    { "multi_step", META_INT, 0, 0, 1000000000, NULL, OF(multi_step),
      "iterations over which the losses after earlier steps fade out (MAML++); 0: the last alone" },
    { "head", META_CHOICE, META_HEAD_LEARNED, 0, 0, "learned|imprinted", OF(head),
      "what the last layer starts from: as learned, or the support images' class means" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI,
                                         .size = sizeof(struct meta_plugin),
                                         .name = "inner_loop",
                                         .role = META_ROLE_INNER_LOOP,
                                         .summary = "how a task is learned; after the last layer",
                                         .settings_size = sizeof(struct meta_inner_settings),
                                         .options = options };
