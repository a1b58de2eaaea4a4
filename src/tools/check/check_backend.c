/* A backend against the reference, on the same network and data. */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "engine/program.h"

/* Float and double may fall on two sides of a ReLU's kink, or take different pixels of a pooling window: that is no defect, and
   it strikes some draws only. A defect shows in all of them, so the best of a few counts. */
#define DRAWS 3

/* In a deep network it strikes all of them, and where few numbers are normalised rounding grows from layer to layer: results may be as far
   apart as the reference's own come to be when each parameter moves by about this part of itself, which does to the outputs what float does. */
#define MOVE 1e-6

enum { LOSS, OUTPUTS, ROLLING, GRADIENT, PRODUCT, QUANTITIES };

static const struct { const char *text; double limit; } quantities[QUANTITIES] = {
    [LOSS]     = { "loss = the reference's", 1e-5 },
    [OUTPUTS]  = { "outputs = the reference's", 1e-5 },
    [ROLLING]  = { "outputs with rolling statistics = the reference's", 1e-5 },
    [GRADIENT] = { "gradient = the reference's", 1e-4 },
    [PRODUCT]  = { "Hv = the reference's", 1e-3 },
};

struct results { double loss, *outputs, *rolling, *gradient, *product; };     /* (batch*classes) twice, (parameters) twice */

struct bench {
    const struct meta_check *check;
    size_t n, outputs;
    int support, batch, tangents;
    double *phi, *v;               /* (parameters) */
    float *statistics, *probabilities;
    struct results results[3];     /* the reference's, the other's; the reference's for moved parameters */
    double *owned;
};

static void read_outputs(const struct bench *b, const struct meta_program *p, double *out)
{
    meta_program_probabilities(p, b->probabilities);
    for (size_t i = 0; i < b->outputs; i++) out[i] = b->probabilities[i];
}

/* The reference comes first: its batch statistics serve as rolling ones. */
static int evaluate(struct bench *b, const struct meta_backend *backend, int draw, const float *images, const int *labels,
                    struct results *r, struct meta_error *error)
{
    struct meta_program *p = NULL;
    void *vectors[3] = { NULL, NULL, NULL };
    int status = -1;
    if (backend->open(error)) return -1;
    for (int i = 0; i < 3; i++)
        if (!(vectors[i] = backend->allocate(b->n * backend->element))) { meta_fail_memory(error); goto fail; }
    enum meta_passes passes = b->tangents ? META_TANGENTS : META_GRADIENT;
    if (meta_program_create(&p, b->check->model->network, backend,
                            (struct meta_program_settings){ .support = b->support, .query = b->batch, .passes = passes }, error)) goto fail;
    void *phi = vectors[0], *v = vectors[1], *out = vectors[2];
    backend->upload_double(phi, b->phi, b->n);
    backend->upload_double(v, b->v, b->n);
    meta_program_load(p, images, labels);
    meta_program_dropout(p, (struct meta_dropout_key){ b->check->seed, draw, 0, 0, 1 });
    r->loss = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    read_outputs(b, p, r->outputs);
    if (backend == &meta_backend_reference) meta_program_batch_statistics(p, b->statistics);
    meta_program_gradient(p, phi, out);
    backend->download_double(r->gradient, out, b->n);
    if (b->tangents) {
        meta_program_hessian_product(p, phi, v, out);
        backend->download_double(r->product, out, b->n);
    }
    meta_program_forward(p, phi, META_STATISTICS_ROLLING, b->statistics);
    read_outputs(b, p, r->rolling);
    status = 0;
fail:
    meta_program_free(p);
    for (int i = 0; i < 3; i++)
        if (vectors[i]) backend->release(vectors[i]);
    return status;
}

static void distances(const struct bench *b, const struct results *x, const struct results *y, double found[QUANTITIES])
{
    found[LOSS] = meta_check_distance(&x->loss, &y->loss, 1);
    found[OUTPUTS] = meta_check_distance(x->outputs, y->outputs, b->outputs);
    found[ROLLING] = meta_check_distance(x->rolling, y->rolling, b->outputs);
    found[GRADIENT] = meta_check_distance(x->gradient, y->gradient, b->n);
    found[PRODUCT] = meta_check_distance(x->product, y->product, b->n);
}

/* Raises limits to what the reference itself comes to. Leaves phi moved. */
static int widen(struct bench *b, int draw, const float *images, const int *labels, double *limit, struct meta_error *error)
{
    struct results *moved = &b->results[2];
    double *along = moved->gradient, own[QUANTITIES];
    meta_check_normal(b->check, META_CHECK_NETWORK, 8 + DRAWS + draw, along, b->n);
    for (size_t i = 0; i < b->n; i++) b->phi[i] *= 1 + MOVE * along[i];
    if (evaluate(b, &meta_backend_reference, draw, images, labels, moved, error)) return -1;
    distances(b, &b->results[0], moved, own);
    for (int q = 0; q < QUANTITIES; q++) limit[q] = fmax(limit[q], own[q]);
    return 0;
}

/* errors, limits: of the best draw so far, for each quantity by itself. */
static int compare(struct bench *b, const struct meta_backend *backend, int draw, double errors[QUANTITIES], double limits[QUANTITIES],
                   struct meta_error *error)
{
    struct results *x = &b->results[0], *y = &b->results[1];
    double found[QUANTITIES], limit[QUANTITIES];
    float *images = NULL;
    int *labels = NULL, held = 0, status = -1;
    if (meta_check_parameters(b->check, draw, b->phi, error)
        || meta_check_images(b->check, 8 + draw, b->support + b->batch, &images, &labels, error)) goto fail;
    meta_check_normal(b->check, META_CHECK_NETWORK, 8 + draw, b->v, b->n);
    if (evaluate(b, &meta_backend_reference, draw, images, labels, x, error) || evaluate(b, backend, draw, images, labels, y, error)) goto fail;
    distances(b, x, y, found);
    for (int q = 0; q < QUANTITIES; q++) {
        limit[q] = quantities[q].limit;
        held += found[q] <= limit[q];
    }
    if (held < QUANTITIES && widen(b, draw, images, labels, limit, error)) goto fail;
    for (int q = 0; q < QUANTITIES; q++)
        if (found[q] / limit[q] < errors[q] / limits[q]) { errors[q] = found[q]; limits[q] = limit[q]; }
    status = 0;
fail:
    free(images);
    free(labels);
    return status;
}

static int allocate(struct bench *b, struct meta_error *error)
{
    double *at = b->owned = calloc(8 * b->n + 6 * b->outputs, sizeof *b->owned);
    b->statistics = calloc(b->check->model->network->statistics + 1, sizeof *b->statistics);
    b->probabilities = calloc(b->outputs, sizeof *b->probabilities);
    if (!b->owned || !b->statistics || !b->probabilities) return meta_fail_memory(error);
    b->phi = at;
    b->v = at + b->n;
    at += 2 * b->n;
    for (int k = 0; k < 3; k++) {
        b->results[k] = (struct results){ 0, at, at + b->outputs, at + 2 * b->outputs, at + 2 * b->outputs + b->n };
        at += 2 * b->outputs + 2 * b->n;
    }
    return 0;
}

int meta_check_backend(const struct meta_check *check, const struct meta_backend *backend, struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    struct bench b = { .check = check, .n = net->parameters, .support = meta_check_support(check), .batch = meta_check_batch(check),
                       .tangents = meta_check_has_tangents(check) };
    double errors[QUANTITIES], limits[QUANTITIES];
    int held = 0, status = -1;
    b.outputs = (size_t)b.batch * meta_network_outputs(net);
    if (allocate(&b, error)) goto fail;
    for (int q = 0; q < QUANTITIES; q++) { errors[q] = INFINITY; limits[q] = quantities[q].limit; }
    for (int draw = 0; draw < DRAWS && held < QUANTITIES; draw++) {
        if (compare(&b, backend, draw, errors, limits, error)) goto fail;
        held = 0;
        for (int q = 0; q < QUANTITIES; q++) held += errors[q] <= limits[q];
    }
    for (int q = 0; q < QUANTITIES; q++)
        if (q != PRODUCT || b.tangents)
            check->report(check->context, &(struct meta_identity){ -1, backend->name, quantities[q].text, errors[q], limits[q] });
    status = 0;
fail:
    free(b.owned);
    free(b.statistics);
    free(b.probabilities);
    return status;
}
