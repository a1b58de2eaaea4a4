/* Builds networks with their numbers out of others: layer by layer, folded, or with fewer
   outputs. */
#include "filled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void meta_filled_clear(struct meta_filled *f)
{
    meta_network_free(f->network);
    free(f->parameters);
    free(f->statistics);
    *f = (struct meta_filled){ 0 };
}

int meta_filled_finite(const struct meta_filled *f)
{
    int finite = 1;
    for (size_t i = 0; i < f->network->parameters && finite; i++)
        finite = isfinite(f->parameters[i]);
    for (size_t i = 0; i < f->network->statistics && finite; i++)
        finite = isfinite(f->statistics[i]);
    return finite;
}

static int grow(float **numbers, size_t from, size_t to, struct meta_error *error)
{
    float *grown = realloc(*numbers, (to + 1) * sizeof *grown);
    if (!grown) return meta_fail(error, "out of memory for %zu parameters", to);
    memset(grown + from, 0, (to - from) * sizeof *grown);
    *numbers = grown;
    return 0;
}

int meta_filled_add(struct meta_filled *f, struct meta_layer layer, struct meta_error *error)
{
    size_t parameters = f->network->parameters, statistics = f->network->statistics;
    if (meta_network_add(f->network, layer, error)) return -1;
    return grow(&f->parameters, parameters, f->network->parameters, error)
            || grow(&f->statistics, statistics, f->network->statistics, error)
        ? -1
        : 0;
}

int meta_filled_copy_layer(struct meta_filled *f, const struct meta_filled *from, int i,
                           int filters, const int *place, struct meta_error *error)
{
    const struct meta_layer *old = &from->network->layers[i];
    struct meta_layer layer;
    if (meta_layer_copy(&layer, old, error)) return -1;
    for (int k = 0; k < layer.from_count; k++) layer.from[k] = place[layer.from[k]];
    if (filters) layer.filters = filters;
    if (meta_filled_add(f, layer, error)) return -1;
    const struct meta_layer *new = &f->network->layers[f->network->count - 1];
    size_t row = sizeof(float) * meta_layer_rows(new), channels = sizeof(float) * new->filters;
    if (new->weights == META_NONE) return 0;
    memcpy(f->parameters + new->weights, from->parameters + old->weights,
           new->weight_count * sizeof(float));
    if (new->biases == META_NONE) return 0;
    memcpy(f->parameters + new->biases, from->parameters + old->biases, row);
    if (!new->batch_normalize) return 0;
    memcpy(f->parameters + new->scales, from->parameters + old->scales, row);
    memcpy(f->statistics + new->mean, from->statistics + old->mean, channels);
    memcpy(f->statistics + new->variance, from->statistics + old->variance, channels);
    return 0;
}

/* Adds the last layer again without batch_normalize; the numbers of the old one are still there to
   be read. */
int meta_filled_fold_last(struct meta_filled *f, struct meta_error *error)
{
    struct meta_network *net = f->network;
    struct meta_layer *layer = &net->layers[net->count - 1], old = *layer;
    if (!old.batch_normalize) return 0;
    size_t row = old.weight_count / old.filters;
    float *factor = malloc(old.filters * sizeof *factor),
          *weights = malloc(old.weight_count * sizeof *weights);
    if (!factor || !weights) {
        free(factor);
        free(weights);
        return meta_fail(error, "out of memory for %zu parameters", old.weight_count);
    }
    memcpy(weights, f->parameters + old.weights, old.weight_count * sizeof *weights);
    for (int o = 0; o < old.filters; o++) {
        factor[o] = f->parameters[old.scales + o] / (sqrt(f->statistics[old.variance + o]) + 1e-6);
        f->parameters[old.biases + o] -= factor[o] * f->statistics[old.mean + o];
    }
    net->parameters -= old.filters;
    net->statistics -= 2 * (size_t)old.filters;
    layer->batch_normalize = 0;
    layer->scales = layer->mean = layer->variance = META_NONE;
    layer->weights = old.biases + old.filters;
    for (size_t k = 0; k < old.weight_count; k++)
        f->parameters[layer->weights + k] = factor[k / row] * weights[k];
    free(factor);
    free(weights);
    return 0;
}

/* Returns the layer whose filters are the outputs, or -1 when there is none. */
static int find_head(const struct meta_network *net)
{
    for (int i = net->count - 2; i >= 0; i--) {
        switch (net->layers[i].type) {
        case META_CONNECTED: return i;
        case META_CONVOLUTIONAL: return meta_layer_groups(&net->layers[i]) == 1 ? i : -1;
        case META_AVGPOOL:
        case META_MAXPOOL:
        case META_ACTIVATION:
        case META_DROPOUT: break;
        default: return -1;
        }
    }
    return -1;
}

int meta_filled_narrow(struct meta_filled *f, const struct meta_filled *from, int classes,
                       struct meta_error *error)
{
    const struct meta_network *net = from->network;
    int outputs = meta_network_outputs(net), head = find_head(net),
        *place = calloc(net->count, sizeof *place);
    *f = (struct meta_filled){ 0 };
    if (!place) return meta_fail_memory(error);
    if (classes > outputs
        || (classes < outputs && (net->ways || head < 0 || net->layers[head].out.c != outputs))) {
        meta_fail(error, "%d classes: the network tells %d apart%s", classes, outputs,
                  classes > outputs ? ": must be no more"
                                    : ", and its last layers can't be cut to fewer: must be as "
                                      "many");
        goto fail;
    }
    if (meta_network_create(&f->network, net->input, error)) goto fail;
    for (int i = 0; i < net->count; i++) {
        place[i] = i;
        int filters = i == head && classes < outputs ? classes : 0;
        if (meta_filled_copy_layer(f, from, i, filters, place, error)) goto fail;
    }
    free(place);
    return 0;
fail:
    free(place);
    meta_filled_clear(f);
    return -1;
}
