/* Writes the weights that a training has come to. */
#include "trainer_internal.h"

#include "network/weights.h"

int meta_trainer_write_weights(struct meta_trainer *t, const char *path, struct meta_error *error)
{
    meta_outer_download(t->outer, t->parameters, t->statistics);
    return meta_weights_write(t->model->network, path, t->parameters, t->statistics,
                              (struct meta_weights_head){ .seen = t->seen, .updates = t->updates },
                              error);
}

/* Averaged statistics are used as they are. */
int meta_trainer_write_average(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_weights_head head = { .seen = t->seen, .updates = META_ROLLING_SETTLED };
    if (!t->average || !meta_average_count(t->average)) return 0;
    meta_average_download(t->average, t->parameters, t->statistics);
    return meta_weights_write(t->model->network, t->path[META_TRAINING_AVERAGE], t->parameters,
                              t->statistics, head, error);
}
