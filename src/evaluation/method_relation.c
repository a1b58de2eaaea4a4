/* The method relation: Relation Net, a network that pairs the query images with the classes and
   takes no step in a task. */
#include "inner.h"

const struct meta_method meta_method_relation = { .name = "relation",
                                                  .purpose = META_FOR_ANY,
                                                  .probabilities = 1,
                                                  .pairs = 1,
                                                  .learns = 1,
                                                  .reads_bn = 1,
                                                  .settings_size = sizeof(struct meta_inner_steps),
                                                  .flags = meta_inner_flags,
                                                  .defaults = meta_inner_defaults,
                                                  .check = meta_inner_check_no_steps,
                                                  .describe = meta_inner_describe,
                                                  .add_settings = meta_inner_add_settings,
                                                  .create = meta_inner_create,
                                                  .free = meta_inner_free,
                                                  .run = meta_inner_run };
