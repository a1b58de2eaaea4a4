/* Works out the places of parameters of a network, layer by layer, and draws initial weights. */
#include "network.h"
#include "base/plugin_call.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"
#include "turns.h"

int meta_network_create(struct meta_network **out, struct meta_shape input,
                        struct meta_error *error)
{
    if (input.c < 1 || input.h < 1 || input.w < 1)
        return meta_fail(error, "input %dx%dx%d: width, height and channels must be at least 1",
                         input.w, input.h, input.c);
    struct meta_network *network = calloc(1, sizeof *network);
    if (!network) return meta_fail_memory(error);
    network->input = input;
    *out = network;
    return 0;
}

static void free_layer_parts(struct meta_layer *layer)
{
    free(layer->from);
    free(layer->settings);
}

void meta_network_free(struct meta_network *network)
{
    if (!network) return;
    for (int i = 0; i < network->count; i++) free_layer_parts(&network->layers[i]);
    free(network->layers);
    free(network);
}

/* a * b, or a number above META_MOST_NUMBERS where it is above that. */
static size_t bounded(size_t a, size_t b)
{
    return b && a > META_MOST_NUMBERS / b ? META_MOST_NUMBERS + 1 : a * b;
}

/* Gives a layer its places in the parameter and statistics blocks, in .weights order
   (weights.h). */
static void place_parameters(struct meta_network *net, struct meta_layer *l)
{
    l->biases = l->scales = l->weights = l->mean = l->variance = META_NONE;
    if (l->array_count) {
        l->weights = net->parameters;
        net->parameters += l->weight_count;
    }
    if (l->type != META_CONVOLUTIONAL && l->type != META_CONNECTED && l->type != META_LOCAL) return;
    size_t outputs = meta_layer_file_rows(l), rows = meta_layer_rows(l);
    int convolutional = l->type == META_CONVOLUTIONAL;
    size_t kernel = (size_t)l->size * l->size;
    l->weight_count = bounded(outputs,
                              l->type == META_CONNECTED
                                  ? meta_shape_numbers(l->in)
                                  : bounded((size_t)l->in.c / meta_layer_groups(l), kernel));
    if (l->rotations == 4 && l->weight_count <= META_MOST_NUMBERS) l->weight_count /= 4;
    l->biases = net->parameters;
    net->parameters += rows;
    if (l->batch_normalize && convolutional) {
        l->scales = net->parameters;
        net->parameters += rows;
    }
    l->weights = net->parameters;
    net->parameters += l->weight_count;
    if (l->batch_normalize && !convolutional) {
        l->scales = net->parameters;
        net->parameters += rows;
    }
    if (l->batch_normalize) {
        l->mean = net->statistics;
        l->variance = net->statistics + outputs;
        net->statistics += 2 * outputs;
    }
}

static int is_loss(const struct meta_layer *l)
{
    return l->type == META_SOFTMAX || l->type == META_COST;
}

int meta_network_add(struct meta_network *net, struct meta_layer layer, struct meta_error *error)
{
    struct meta_layer *grown;
    if (net->count && is_loss(&net->layers[net->count - 1])) {
        meta_fail(error, "nothing can follow the %s",
                  meta_layer_name(&net->layers[net->count - 1]));
        goto fail;
    }
    if (net->count == META_MOST_LAYERS) {
        meta_fail(error, "is layer %d: a network must have at most %d", net->count + 1,
                  META_MOST_LAYERS);
        goto fail;
    }
    if (layer.type == META_DROPOUT && net->count >= META_MOST_DROPOUT) {
        meta_fail(error, "is layer %d: must be among the first %d, whose masks differ", net->count,
                  META_MOST_DROPOUT);
        goto fail;
    }
    layer.in = net->count ? net->layers[net->count - 1].out : net->input;
    if (meta_shape_infer(net, &layer, error) || meta_turns_infer(net, &layer, error)) goto fail;
    if (meta_shape_numbers(layer.out) > META_MOST_NUMBERS) {
        meta_fail(error, "output %dx%dx%d is too large: at most %zu numbers", layer.out.w,
                  layer.out.h, layer.out.c, META_MOST_NUMBERS);
        goto fail;
    }
    grown = realloc(net->layers, (net->count + 1) * sizeof *grown);
    if (!grown) {
        meta_fail_memory(error);
        goto fail;
    }
    net->layers = grown;
    place_parameters(net, &layer);
    if (layer.weight_count > META_MOST_NUMBERS) {
        meta_fail(error, "has too many weights: must be at most %zu", META_MOST_NUMBERS);
        goto fail;
    }
    if (layer.type == META_PAIRING) {
        net->ways = layer.ways;
        net->pairing = net->count;
    }
    net->layers[net->count++] = layer;
    return 0;
fail:
    free_layer_parts(&layer);
    return -1;
}

/* Marks the layers that the last layer depends on. */
static void mark_used(const struct meta_network *net, char *used)
{
    used[net->count - 1] = 1;
    for (int i = net->count - 1; i >= 0; i--) {
        const struct meta_layer *l = &net->layers[i];
        if (!used[i]) continue;
        for (int k = 0; k < l->from_count; k++) used[l->from[k]] = 1;
        if (l->type != META_ROUTE && i > 0) used[i - 1] = 1;
    }
}

/* With order=0, Reptile, phi follows the inner steps: what they leave as it is would never learn.
 */
static int check_held(const struct meta_network *net, int *where, struct meta_error *error)
{
    for (*where = 0; *where < net->count; ++*where)
        for (int k = 0; k < net->layers[*where].array_count; k++) {
            const struct meta_array *a = &net->layers[*where].arrays[k];
            if (!a->held) continue;
            return meta_fail(error,
                             "inner steps leave its %s as they are, and with order=0 they would "
                             "never learn; allowed: order=1, order=2",
                             a->name);
        }
    return 0;
}

int meta_network_finish(struct meta_network *net, int order, int *where, struct meta_error *error)
{
    *where = 0;
    if (!net->count) return meta_fail(error, "the network has no layers");
    *where = net->count - 1;
    if (!is_loss(&net->layers[net->count - 1]))
        return meta_fail(error, "the network must end with [%s], not [%s]",
                         net->ways ? "cost] or [softmax" : "softmax",
                         meta_layer_name(&net->layers[net->count - 1]));
    if (!net->parameters)
        return meta_fail(error, "the network has nothing to learn: no layer with parameters");
    char *used = calloc(net->count, 1);
    if (!used) return meta_fail_memory(error);
    mark_used(net, used);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        *where = i;
        if (!used[i]) {
            free(used);
            return meta_fail(error, "nothing uses this layer's output");
        }
        if (order == 2 && l->type == META_PLUGIN
            && !(l->plugin->layer->forward_tangent && l->plugin->layer->backward_tangent)) {
            free(used);
            return meta_fail(error,
                             "the plugin has no tangents, which order=2 needs; allowed: order=1");
        }
    }
    free(used);
    return order ? 0 : check_held(net, where, error);
}

int meta_network_adapts(const struct meta_network *net)
{
    if (!net->ways) return 1;
    const struct meta_layer *last = &net->layers[net->count - 1], *l = &net->layers[net->pairing];
    return last->type == META_SOFTMAX && l == last - 1 && l->plugin->pairing->linear
        && meta_shape_numbers(l->out) == 1;
}

int meta_network_imprints(const struct meta_network *net)
{
    const struct meta_layer *l = &net->layers[net->count - 1];
    if (net->ways || net->count < 2 || l->type != META_SOFTMAX) return 0;
    l--;
    return l->type == META_CONNECTED && l->activation == META_LINEAR && !l->batch_normalize
        && l->rotations != 4;
}

int meta_network_outputs(const struct meta_network *net)
{
    return net->ways ? net->ways : net->layers[net->count - 1].out.c;
}

int meta_network_features_layer(const struct meta_network *net)
{
    int i = net->count - 1;
    while (i >= 0 && net->layers[i].type != META_CONNECTED) i--;
    return i - 1;
}

const struct meta_layer *meta_network_few_values(const struct meta_network *net, int images,
                                                 int values)
{
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        size_t joined = l->type == META_CONVOLUTIONAL && l->rotations == 4 ? 4 : 1;
        if (l->mean != META_NONE && joined * images * l->out.w * l->out.h == (size_t)values)
            return l;
    }
    return NULL;
}

int meta_network_check_batch(const struct meta_network *net, int images, struct meta_error *error)
{
    const struct meta_layer *l = meta_network_few_values(net, images, 1);
    if (!l) return 0;
    return meta_fail(error,
                     "[%s] of line %d: batch_normalize=1: 1 image x a map of 1x1 = 1 value a "
                     "channel, which is 0 once it is normalised by itself: must be at least 2, "
                     "better 3: of 2 only their order is left",
                     meta_layer_name(l), l->line);
}

int meta_layer_copy(struct meta_layer *to, const struct meta_layer *from, struct meta_error *error)
{
    *to = *from;
    to->from = NULL;
    to->settings = NULL;
    if (from->from_count) to->from = malloc(from->from_count * sizeof *to->from);
    if (from->settings) to->settings = malloc(from->plugin->settings_size + 1);
    if ((from->from_count && !to->from) || (from->settings && !to->settings)) {
        free_layer_parts(to);
        return meta_fail_memory(error);
    }
    if (to->from) memcpy(to->from, from->from, from->from_count * sizeof *to->from);
    if (to->settings) memcpy(to->settings, from->settings, from->plugin->settings_size);
    return 0;
}

int meta_network_cut(struct meta_network **out, const struct meta_network *whole, int layers,
                     int outputs, struct meta_error *error)
{
    struct meta_network *net;
    struct meta_layer layer,
        head = { .type = META_CONNECTED, .filters = outputs, .activation = META_LINEAR };
    if (meta_network_create(&net, whole->input, error)) return -1;
    for (int i = 0; i < layers; i++)
        if (meta_layer_copy(&layer, &whole->layers[i], error)
            || meta_network_add(net, layer, error))
            goto fail;
    if (outputs && meta_network_add(net, head, error)) goto fail;
    if (meta_network_add(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, error))
        goto fail;
    *out = net;
    return 0;
fail:
    meta_network_free(net);
    return -1;
}

void meta_network_initialise_layer(const struct meta_layer *l, struct meta_rng *rng,
                                   float *parameters)
{
    if (l->type == META_PLUGIN) {
        meta_plugin_begin(l->arrays, l->array_count, rng, parameters + l->weights);
        return;
    }
    size_t inputs = l->weight_count / meta_layer_rows(l);
    if (l->rotations == 4 && l->type == META_CONNECTED) inputs *= 4;
    double deviation = sqrt(2. / inputs);
    for (size_t k = 0; k < l->weight_count; k++)
        parameters[l->weights + k] = deviation
            * (l->type == META_CONVOLUTIONAL ? meta_rng_normal(rng) : meta_rng_between(rng, -1, 1));
    for (int k = 0; l->scales != META_NONE && k < meta_layer_rows(l); k++)
        parameters[l->scales + k] = 1;
}

void meta_network_initialise(const struct meta_network *net, uint64_t seed, float *parameters,
                             float *statistics)
{
    memset(parameters, 0, net->parameters * sizeof *parameters);
    memset(statistics, 0, net->statistics * sizeof *statistics);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE) continue;
        struct meta_rng rng = meta_rng_open(seed, META_USE_WEIGHTS, 0, 0, i);
        meta_network_initialise_layer(l, &rng, parameters);
    }
}
