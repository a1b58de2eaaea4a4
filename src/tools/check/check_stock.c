/* A check of plugins' layers against the sections of Darknet's own that they are exported as. */
#include "check.h"
#include "backends/backends.h"
#include "config/stock_form.h"

#include <stdlib.h>

#include "engine/program.h"

/* The numbers of both are floats, computed with in double. */
#define LIMIT 1e-5

/* One layer by itself, and random input. */
struct rig {
    struct meta_filled alone, stock;
    int batch;
    size_t numbers; /* of what the layer gives for the batch */
    float *images;
    int *labels;
    float *given;   /* (numbers) */
    double *got[2]; /* (numbers) of the layer, and of its stock form */
};

static int cut_out(struct rig *r, const struct meta_filled *whole, int i, struct meta_error *error)
{
    const struct meta_layer softmax = { .type = META_SOFTMAX, .temperature = 1 };
    return meta_network_create(&r->alone.network, whole->network->layers[i].in, error)
            || meta_filled_copy_layer(&r->alone, whole, i, 0, NULL, error)
            || meta_filled_add(&r->alone, softmax, error)
        ? -1
        : 0;
}

static int draw(struct rig *r, const struct meta_check *check, int i, struct meta_error *error)
{
    size_t n = r->batch * meta_shape_numbers(r->alone.network->input);
    r->numbers = r->batch * meta_shape_numbers(r->alone.network->layers[0].out);
    double *x = malloc(n * sizeof *x);
    r->images = malloc(n * sizeof *r->images);
    r->labels = calloc(r->batch, sizeof *r->labels);
    r->given = malloc(r->numbers * sizeof *r->given);
    r->got[0] = malloc(2 * r->numbers * sizeof **r->got);
    if (!x || !r->images || !r->labels || !r->given || !r->got[0]) {
        free(x);
        return meta_fail_memory(error);
    }
    r->got[1] = r->got[0] + r->numbers;
    meta_check_normal(check, META_CHECK_STOCK, i, x, n);
    for (size_t k = 0; k < n; k++) r->images[k] = (float)x[k];
    free(x);
    return 0;
}

/* What the network gives to its [softmax]. */
static int compute(struct rig *r, const struct meta_filled *f, double *out,
                   struct meta_error *error)
{
    const struct meta_backend *backend = meta_backend_exact();
    const struct meta_program_settings settings = { .query = r->batch, .passes = META_FORWARD };
    struct meta_program *p;
    if (meta_program_create(&p, f->network, backend, settings, error)) return -1;
    void *parameters = backend->allocate((f->network->parameters + 1) * backend->element);
    int status = -1;
    if (!parameters) {
        meta_fail_memory(error);
        goto end;
    }
    backend->upload(parameters, f->parameters, f->network->parameters);
    meta_program_load(p, r->images, r->labels);
    meta_program_dropout(p, (struct meta_dropout_key){ .train = 0 });
    meta_program_forward(p, parameters, META_STATISTICS_ROLLING, f->statistics);
    if ((status = meta_program_failed(p, error))) goto end;
    meta_program_features(p, r->given);
    for (size_t k = 0; k < r->numbers; k++) out[k] = r->given[k];
end:
    meta_program_free(p);
    if (parameters) backend->release(parameters);
    return status;
}

/* A layer may refuse to be exported with these numbers; `meta adapt` then says so. */
static int check_layer(const struct meta_check *check, const struct meta_filled *whole, int i,
                       struct meta_error *error)
{
    const struct meta_layer *l = &whole->network->layers[i];
    struct rig r = { .batch = meta_check_batch(check) };
    struct meta_error refused;
    int status = cut_out(&r, whole, i, error);
    if (!status && !meta_stock_form(&r.stock, &r.alone, check->model->path, &refused)) {
        status = draw(&r, check, i, error) || compute(&r, &r.alone, r.got[0], error)
            || compute(&r, &r.stock, r.got[1], error);
        if (!status)
            check->report(check->context,
                          &(struct meta_identity){
                              i, meta_layer_name(l), "exported as stock sections = the layer",
                              meta_check_distance(r.got[0], r.got[1], r.numbers), LIMIT });
    }
    free(r.images);
    free(r.labels);
    free(r.given);
    free(r.got[0]);
    meta_filled_clear(&r.alone);
    meta_filled_clear(&r.stock);
    return status ? -1 : 0;
}

int meta_check_stock(const struct meta_check *check, struct meta_error *error)
{
    struct meta_network *net = check->model->network;
    double *exact = malloc((net->parameters + 1) * sizeof *exact);
    float *parameters = malloc((net->parameters + 1) * sizeof *parameters);
    const struct meta_filled whole = { net, parameters, NULL };
    int status = exact && parameters ? meta_check_parameters(check, 0, exact, error)
                                     : meta_fail_memory(error);
    for (size_t k = 0; !status && k < net->parameters; k++) parameters[k] = (float)exact[k];
    for (int i = 0; !status && i < net->count; i++)
        if (net->layers[i].type == META_PLUGIN && net->layers[i].plugin->layer->stock)
            status = check_layer(check, &whole, i, error);
    free(exact);
    free(parameters);
    return status;
}
