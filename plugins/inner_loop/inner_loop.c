/* [inner_loop]: how a task is learned from its support set. */
#include "../plugin.h"

#define AT(name) offsetof(struct meta_inner_settings, name)

static const struct meta_option options[] = {
    { "steps", META_INT, 5, 0, 1000, NULL, AT(steps), "gradient steps while training; 0: no adaptation" },
    { "test_steps", META_INT, 10, 0, 1000, NULL, AT(test_steps), "gradient steps at test" },
    { "learning_rate", META_REAL, .01, 0, 10, NULL, AT(learning_rate), "gamma, the rate of those steps" },
    { "order", META_INT, 2, 1, 2, NULL, AT(order), "2: the exact meta-gradient; 1: first-order MAML" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

__attribute__((visibility("default"))) extern const struct meta_plugin meta_plugin;
const struct meta_plugin meta_plugin = {
    META_PLUGIN_ABI, sizeof(struct meta_plugin), "inner_loop", META_ROLE_INNER_LOOP, "how a task is learned",
    sizeof(struct meta_inner_settings), options, NULL, NULL, NULL
};
