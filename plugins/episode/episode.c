/* [episode]: how many classes and images a task has, how many tasks a meta-iteration, and how their
   classes are chosen. */
#include "plugin.h"

#define OF(field) offsetof(struct meta_episode_settings, field)
/* clang-format off */
#define INT(key, fallback, least, help) \
    { #key, META_INT, fallback, least, 1000, NULL, OF(key), help }
/* clang-format on */

static const struct meta_option options[] = {
    INT(ways, 2, 2, "classes a task"),
    INT(shots, 5, 1, "support images a class: what a task is learned from"),
    INT(queries, 15, 1, "query images a class: what the result is judged by"),
    INT(tasks, 4, 1, "tasks a meta-iteration"),
    { "sampler", META_CHOICE, META_UNIFORM, 0, 0, "uniform|curriculum", OF(sampler),
      "classes of a training task: all alike, or where the AUC moves up" },
    INT(window, 10, 1, "sampler=curriculum: rewards that each kind of task keeps"),
    { "explore", META_REAL, .1, 0, 1, NULL, OF(explore),
      "sampler=curriculum: the share of tasks of any kind" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI,
                                         .size = sizeof(struct meta_plugin),
                                         .name = "episode",
                                         .role = META_ROLE_EPISODE,
                                         .summary = "how tasks are drawn; right after [net]",
                                         .settings_size = sizeof(struct meta_episode_settings),
                                         .options = options };
