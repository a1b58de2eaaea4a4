/* Makes ordinary networks of those with rotations=4, and says which of their parameters are one. */
#include "tie.h"
#include "turns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ties(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++)
        if (net->layers[i].rotations == 4) return 1;
    return 0;
}

static int copy_untied(struct meta_network **out, const struct meta_network *net,
                       struct meta_error *error)
{
    struct meta_layer layer;
    if (meta_network_create(out, net->input, error)) return -1;
    for (int i = 0; i < net->count; i++) {
        if (meta_layer_copy(&layer, &net->layers[i], error)) goto fail;
        layer.rotations = 0;
        if (meta_network_add(*out, layer, error)) goto fail;
    }
    return 0;
fail:
    meta_network_free(*out);
    *out = NULL;
    return -1;
}

/* Of the biases, and of the scales. */
static void list_rows(uint32_t *source, size_t full, size_t tied, const struct meta_layer *l)
{
    int rows = meta_layer_file_rows(l), share = rows / meta_layer_rows(l);
    if (full == META_NONE) return;
    for (int k = 0; k < rows; k++) source[full + k] = (uint32_t)(tied + k / share);
}

int meta_tie_create(struct meta_tie **out, const struct meta_network *net, struct meta_error *error)
{
    *out = NULL;
    if (!ties(net)) return 0;
    struct meta_tie *tie = calloc(1, sizeof *tie);
    if (!tie) return meta_fail_memory(error);
    tie->parameters = net->parameters;
    if (copy_untied(&tie->full, net, error)) goto fail;
    tie->source = calloc(tie->full->parameters, sizeof *tie->source);
    if (!tie->source) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i], *full = &tie->full->layers[i];
        if (l->weights == META_NONE) continue;
        list_rows(tie->source, full->biases, l->biases, l);
        list_rows(tie->source, full->scales, l->scales, l);
        for (size_t k = 0; k < full->weight_count; k++)
            tie->source[full->weights + k] =
                (uint32_t)(l->weights + (l->rotations == 4 ? meta_turns_source(l, k) : k));
    }
    *out = tie;
    return 0;
fail:
    meta_tie_free(tie);
    return -1;
}

void meta_tie_free(struct meta_tie *tie)
{
    if (!tie) return;
    meta_network_free(tie->full);
    free(tie->source);
    free(tie);
}

void meta_tie_spread(const struct meta_tie *tie, const float *tied, float *full)
{
    for (size_t i = 0; i < tie->full->parameters; i++) full[i] = tied[tie->source[i]];
}

static const struct meta_layer *layer_of(const struct meta_network *net, size_t parameter)
{
    const struct meta_layer *l = net->layers, *found = l;
    for (; l < net->layers + net->count; l++)
        if (l->weights != META_NONE && meta_layer_first(l) <= parameter) found = l;
    return found;
}

/* From the end, so that a value is that of the filter that is not turned. */
int meta_tie_gather(const struct meta_tie *tie, const float *full, float *tied,
                    struct meta_error *error)
{
    for (size_t i = tie->full->parameters; i-- > 0;) tied[tie->source[i]] = full[i];
    for (size_t i = 0; i < tie->full->parameters; i++) {
        float own = tied[tie->source[i]];
        if (own == full[i] || (isnan(own) && isnan(full[i]))) continue;
        const struct meta_layer *l = layer_of(tie->full, i);
        return meta_fail(error,
                         "[%s] of line %d: rotations=4: its filters are not the quarter turns of "
                         "one another: must be as meta train writes them",
                         meta_layer_name(l), l->line);
    }
    return 0;
}

int meta_tie_undo(struct meta_filled *to, const struct meta_filled *from, struct meta_error *error)
{
    struct meta_tie *tie;
    const struct meta_network *net = from->network;
    *to = (struct meta_filled){ 0 };
    if (meta_tie_create(&tie, net, error)) return -1;
    if (tie) {
        to->network = tie->full;
        tie->full = NULL;
    } else if (copy_untied(&to->network, net, error)) return -1;
    to->parameters = malloc((to->network->parameters + 1) * sizeof *to->parameters);
    to->statistics = malloc((net->statistics + 1) * sizeof *to->statistics);
    int status = to->parameters && to->statistics ? 0 : meta_fail_memory(error);
    if (!status) {
        for (size_t i = 0; i < to->network->parameters; i++)
            to->parameters[i] = from->parameters[tie ? tie->source[i] : i];
        memcpy(to->statistics, from->statistics, net->statistics * sizeof *to->statistics);
    } else meta_filled_clear(to);
    meta_tie_free(tie);
    return status;
}
