/* Averages and writes the weights that a training has come to. */
#include "trainer_internal.h"

#include "base/file.h"
#include "learning/rates_file.h"
#include "network/filled.h"
#include "network/temperature_file.h"
#include "network/weights.h"

#include <stdlib.h>
#include <unistd.h>

void meta_trainer_add_to_average(struct meta_trainer *t)
{
    if (t->rates) meta_learned_get(meta_outer_rates(t->outer), t->rates);
    const struct meta_left left = { meta_outer_parameters(t->outer),
                                    meta_outer_statistics(t->outer), t->updates, t->rates };
    meta_average_add(t->average, &left);
}

/* Writes t->parameters and t->statistics, and with them t->rates, or nothing, as far as
   meta_new_file_end_two can: weights are of use with the rates that they were learned with alone.
 */
static int write_all(const struct meta_trainer *t, const char *path, struct meta_weights_head head,
                     struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    const struct meta_filled filled = { (struct meta_network *)net, t->parameters, t->statistics };
    const struct meta_rates_how how = meta_rates_how_of(t->model->inner);
    struct meta_new_file *weights, *rates;
    if (!t->rates) return meta_weights_write(net, path, t->parameters, t->statistics, head, error);
    if (meta_weights_begin(&weights, path, &filled, head, error)) return -1;
    if (meta_rates_begin(&rates, net, how, path, t->rates, error)) {
        meta_new_file_drop(weights);
        return -1;
    }
    return meta_new_file_end_two(rates, weights, error);
}

int meta_trainer_write_weights(struct meta_trainer *t, const char *path, struct meta_error *error)
{
    const struct meta_weights_head head = { .seen = t->seen, .updates = t->updates };
    meta_outer_download(t->outer, t->parameters, t->statistics);
    if (t->rates) meta_learned_get(meta_outer_rates(t->outer), t->rates);
    return write_all(t, path, head, error);
}

/* Averaged statistics are used as they are. */
int meta_trainer_write_average(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_weights_head head = { .seen = t->seen, .updates = META_ROLLING_SETTLED };
    if (!t->average || !meta_average_count(t->average)) return 0;
    meta_average_download(t->average, t->parameters, t->statistics, t->rates);
    if (write_all(t, t->path[META_TRAINING_AVERAGE], head, error)) return -1;
    meta_trainer_remove_temperatures(t->path[META_TRAINING_AVERAGE]);
    return 0;
}

void meta_trainer_remove_temperatures(const char *weights)
{
    struct meta_error ignored;
    char *path = meta_temperatures_path(weights, &ignored);
    if (path) unlink(path);
    free(path);
}
