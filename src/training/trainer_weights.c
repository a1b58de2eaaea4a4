/* Averages and writes the weights that a training has come to. */
#include "trainer_internal.h"

#include "learning/rates_file.h"
#include "network/weights.h"

void meta_trainer_add_to_average(struct meta_trainer *t)
{
    if (t->rates) meta_learned_get(meta_outer_rates(t->outer), t->rates);
    const struct meta_left left = { meta_outer_parameters(t->outer),
                                    meta_outer_statistics(t->outer), t->updates, t->rates };
    meta_average_add(t->average, &left);
}

/* Writes t->rates as those of the weights at `path`. */
static int write_rates(const struct meta_trainer *t, const char *path, struct meta_error *error)
{
    const struct meta_rates_how how = meta_rates_how_of(t->model->inner);
    return t->rates ? meta_rates_save(t->model->network, how, path, t->rates, error) : 0;
}

/* The rates come first, so that no weights lack them. */
int meta_trainer_write_weights(struct meta_trainer *t, const char *path, struct meta_error *error)
{
    meta_outer_download(t->outer, t->parameters, t->statistics);
    if (t->rates) meta_learned_get(meta_outer_rates(t->outer), t->rates);
    if (write_rates(t, path, error)) return -1;
    return meta_weights_write(t->model->network, path, t->parameters, t->statistics,
                              (struct meta_weights_head){ .seen = t->seen, .updates = t->updates },
                              error);
}

/* Averaged statistics are used as they are. */
int meta_trainer_write_average(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_weights_head head = { .seen = t->seen, .updates = META_ROLLING_SETTLED };
    if (!t->average || !meta_average_count(t->average)) return 0;
    const char *path = t->path[META_TRAINING_AVERAGE];
    meta_average_download(t->average, t->parameters, t->statistics, t->rates);
    if (write_rates(t, path, error)) return -1;
    return meta_weights_write(t->model->network, path, t->parameters, t->statistics, head, error);
}
