/* The doctor's look at weights: a training takes the first layers of a network, all else takes a
   whole one. */
#include "config/stock_form.h"
#include "doctor.h"
#include "learning/rates_file.h"
#include "network/temperature_file.h"
#include "network/weights.h"
#include "training/trainer.h"

#include <stdio.h>
#include <stdlib.h>

/* What `meta adapt` looks at before it learns: temperatures of other weights, layers that can't be
   exported. */
static int check_adaptable(const struct meta_doctor *d, struct meta_error *error)
{
    struct meta_temperatures temperatures;
    struct meta_filled stock;
    if (meta_temperatures_find(&temperatures, d->weights_path, error)) return -1;
    int status = meta_stock_form(&stock, &d->filled, d->cfg_path, error);
    meta_filled_clear(&stock);
    return status;
}

/* The learned rates beside the weights, which `meta adapt` needs, and a training takes where they
   are. */
static int check_rates(const struct meta_doctor *d, int needed, struct meta_error *error)
{
    struct meta_rates_how how = meta_rates_how_of(d->model->inner);
    float *rates = NULL;
    if (how.kind == META_RATES_FIXED || (!needed && !meta_rates_exist(d->weights_path))) return 0;
    int status = meta_rates_load(d->model->network, how, d->weights_path, &rates, error);
    free(rates);
    return status;
}

static void look_at_whole(struct meta_doctor *d)
{
    struct meta_error error;
    float *parameters, *statistics;
    d->filled.network = d->model->network;
    int status = meta_weights_load(d->model->network, d->weights_path, &parameters, &statistics,
                                   &error);
    if (status) {
        free(parameters);
        free(statistics);
    } else {
        d->filled.parameters = parameters;
        d->filled.statistics = statistics;
        if (d->task == META_DOCTOR_ADAPT)
            status = check_rates(d, 1, &error) || check_adaptable(d, &error);
    }
    if (status) meta_doctor_say(d, META_WRONG, "weights", "%s", error.text);
    else
        meta_doctor_say(d, META_OK, "weights", "%s: %zu parameters, as %s has", d->weights_path,
                        d->filled.network->parameters, d->cfg_path);
}

/* The numbers themselves are of no use here. */
static int read_start(const struct meta_doctor *d, struct meta_weights_head *head,
                      struct meta_error *error)
{
    const struct meta_network *net = d->model->network;
    float *parameters = calloc(net->parameters + 1, sizeof *parameters),
          *statistics = calloc(net->statistics + 1, sizeof *statistics);
    int status = parameters && statistics
        ? meta_weights_read_first(net, d->weights_path, parameters, statistics, head, error)
        : meta_fail(error, "out of memory for %zu parameters", net->parameters);
    free(parameters);
    free(statistics);
    return status;
}

/* The iteration that a training goes on from, and of how many: by the images that the weights have
   seen. Where nothing is left the hours are those of a run with -clear. */
static int find_done(struct meta_doctor *d, uint64_t seen, char *text, size_t size,
                     struct meta_error *error)
{
    enum meta_training_kind kind = d->task == META_DOCTOR_TRAIN ? META_TRAINING_TASKS
                                                                : META_TRAINING_IMAGES;
    unsigned long long done = d->clear ? 0 : seen / meta_training_images(d->model, kind);
    int last = d->model->net.max_batches;
    *text = 0;
    if (!done || last < 1) return 0;
    if (done >= (unsigned long long)last)
        return meta_fail(error,
                         "%s: is at iteration %llu of %d, by the images it has seen, and nothing "
                         "is left to train: give -clear, or a larger max_batches",
                         d->weights_path, done, last);
    d->done = (int)done;
    snprintf(text, size, "; at iteration %llu of %d, by the images it has seen: with -clear at 0",
             done, last);
    return 0;
}

static void look_at_start(struct meta_doctor *d)
{
    const struct meta_network *net = d->model->network;
    struct meta_weights_head head = { 0 };
    struct meta_error error;
    char done[120];
    if (read_start(d, &head, &error) || check_rates(d, 0, &error)
        || find_done(d, head.seen, done, sizeof done, &error)) {
        meta_doctor_say(d, META_WRONG, "weights", "%s", error.text);
        return;
    }
    if (head.layers < net->count) {
        char layers[META_WEIGHTS_TOLD];
        meta_weights_tell(layers, net, head.layers);
        meta_doctor_say(d, META_OK, "weights", "%s: has %s%s", d->weights_path, layers, done);
    } else
        meta_doctor_say(d, META_OK, "weights", "%s: %zu parameters, as %s has%s", d->weights_path,
                        net->parameters, d->cfg_path, done);
}

void meta_doctor_weights(struct meta_doctor *d)
{
    if (!d->model || !d->weights_path) return;
    if (d->task == META_DOCTOR_TRAIN || d->task == META_DOCTOR_PRETRAIN) look_at_start(d);
    else look_at_whole(d);
}
