/* Makes Grad-CAM maps, by a bias that is put behind the last convolution. */
#include "heat.h"

#include <math.h>
#include <stdlib.h>

#include "engine/program.h"
#include "network/tie.h"

/* The network with normalisation folded into its weights, and with an identity convolution behind
   the last one. The derivative of the loss by a bias of the identity is the sum of the derivatives
   by the pixels of that channel of A. */
struct meta_heat {
    struct meta_filled filled;
    const struct meta_backend *backend;
    struct meta_program *program;
    int added;                    /* index of the identity */
    const struct meta_op *reader; /* the operation that reads A */
    void *parameters, *gradient;  /* backend vectors */
    float *numbers;               /* (parameters) the gradient */
    float *maps;                  /* (c, h, w) A */
};

/* At this temperature all classes are equally likely, and the gradient of the cross-entropy is that
   of the mean of the scores less the score of the class, over the temperature: it does not vanish
   where the network is sure of the class. */
#define TEMPERATURE 1000

static int add_identity(struct meta_filled *f, struct meta_error *error)
{
    int c = f->network->layers[f->network->count - 1].out.c;
    if (meta_filled_add(f,
                        (struct meta_layer){
                            .type = META_CONVOLUTIONAL, .filters = c, .size = 1, .stride = 1 },
                        error))
        return -1;
    const struct meta_layer *l = &f->network->layers[f->network->count - 1];
    for (int k = 0; k < c; k++) f->parameters[l->weights + (size_t)k * c + k] = 1;
    return 0;
}

/* Returns the last convolution that gives a map, or the last of all; -1: there is none. */
static int find_convolution(const struct meta_network *net)
{
    int last = -1;
    for (int i = net->count - 1; i >= 0; i--) {
        if (net->layers[i].type != META_CONVOLUTIONAL) continue;
        if (meta_shape_pixels(net->layers[i].out) > 1) return i;
        if (last < 0) last = i;
    }
    return last;
}

static int build(struct meta_heat *heat, const struct meta_filled *from, struct meta_error *error)
{
    const struct meta_network *net = from->network;
    struct meta_filled *f = &heat->filled;
    int last = find_convolution(net), status = -1,
        *place = calloc((unsigned)net->count, sizeof *place);
    if (!place) {
        meta_fail_memory(error);
        goto fail;
    }
    if (last < 0 || net->ways) {
        meta_fail(error,
                  "a heat map needs a network with a [convolutional] that ends in [softmax]");
        goto fail;
    }
    if (meta_network_create(&f->network, net->input, error)) goto fail;
    for (int i = 0; i < net->count; i++) {
        if (meta_filled_copy_layer(f, from, i, 0, place, error) || meta_filled_fold_last(f, error))
            goto fail;
        if (i == last && add_identity(f, error)) goto fail;
        place[i] = f->network->count - 1;
    }
    heat->added = place[last];
    f->network->layers[f->network->count - 1].temperature *= TEMPERATURE;
    status = 0;
fail:
    free(place);
    return status;
}

int meta_heat_create(struct meta_heat **out, const struct meta_filled *from,
                     const struct meta_backend *backend, struct meta_error *error)
{
    struct meta_heat *heat = calloc(1, sizeof *heat);
    struct meta_filled untied = { 0 };
    if (!heat) return meta_fail_memory(error);
    heat->backend = backend;
    if (meta_tie_undo(&untied, from, error) || build(heat, &untied, error)) goto fail;
    const struct meta_network *net = heat->filled.network;
    struct meta_shape maps = net->layers[heat->added].in;
    if (meta_program_create(&heat->program, net, backend,
                            (struct meta_program_settings){ .query = 1, .passes = META_GRADIENT },
                            error))
        goto fail;
    for (int i = 0; i < meta_program_operations(heat->program); i++) {
        const struct meta_op *op = meta_program_operation(heat->program, i);
        if (op->kind == META_OP_CONV && op->layer == &net->layers[heat->added]) heat->reader = op;
    }
    heat->parameters = backend->allocate(net->parameters * backend->element);
    heat->gradient = backend->allocate(net->parameters * backend->element);
    heat->numbers = malloc(net->parameters * sizeof *heat->numbers);
    heat->maps = malloc(meta_shape_numbers(maps) * sizeof *heat->maps);
    if (!heat->parameters || !heat->gradient || !heat->numbers || !heat->maps) {
        meta_fail_memory(error);
        goto fail;
    }
    backend->upload(heat->parameters, heat->filled.parameters, net->parameters);
    meta_filled_clear(&untied);
    *out = heat;
    return 0;
fail:
    meta_filled_clear(&untied);
    meta_heat_free(heat);
    return -1;
}

void meta_heat_free(struct meta_heat *heat)
{
    if (!heat) return;
    meta_program_free(heat->program);
    if (heat->parameters) heat->backend->release(heat->parameters);
    if (heat->gradient) heat->backend->release(heat->gradient);
    meta_filled_clear(&heat->filled);
    free(heat->numbers);
    free(heat->maps);
    free(heat);
}

void meta_heat_size(const struct meta_heat *heat, int *w, int *h)
{
    const struct meta_shape s = heat->filled.network->layers[heat->added].in;
    *w = s.w;
    *h = s.h;
}

int meta_heat_map(struct meta_heat *heat, const float *image, int class, float *map,
                  struct meta_error *error)
{
    const struct meta_layer *added = &heat->filled.network->layers[heat->added];
    size_t area = (size_t)added->in.h * added->in.w;
    float most = 0;
    meta_program_load(heat->program, image, &class);
    meta_program_forward(heat->program, heat->parameters, META_STATISTICS_BATCH, NULL);
    heat->backend->tensor_out(heat->maps, heat->reader->x[0].value, 1, added->in);
    meta_program_gradient(heat->program, heat->parameters, heat->gradient);
    if (meta_program_failed(heat->program, error)) return -1;
    heat->backend->download(heat->numbers, heat->gradient, heat->filled.network->parameters);
    for (size_t i = 0; i < area; i++) {
        map[i] = 0;
        for (int c = 0; c < added->in.c; c++)
            map[i] -= heat->numbers[added->biases + c] * heat->maps[c * area + i];
        if (!(map[i] > 0)) map[i] = 0;
        if (map[i] > most) most = map[i];
    }
    for (size_t i = 0; i < area && most > 0; i++) map[i] /= most;
    return 0;
}
