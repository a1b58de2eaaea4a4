/* [episode]: how tasks are drawn. */
#include "../plugin.h"

#define INT(name, fallback, least, help) \
    { #name, META_INT, fallback, least, 1000, NULL, offsetof(struct meta_episode_settings, name), help }

static const struct meta_option options[] = {
    INT(ways, 2, 2, "classes a task"),
    INT(shots, 5, 1, "support images a class"),
    INT(queries, 15, 1, "query images a class"),
    INT(tasks, 4, 1, "tasks a meta-iteration"),
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

__attribute__((visibility("default"))) extern const struct meta_plugin meta_plugin;
const struct meta_plugin meta_plugin = {
    META_PLUGIN_ABI, sizeof(struct meta_plugin), "episode", META_ROLE_EPISODE, "how tasks are drawn",
    sizeof(struct meta_episode_settings), options, NULL, NULL, NULL
};
