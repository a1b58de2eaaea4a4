/* A check of a backend against the reference, on the same network and data. */
#include "check.h"
#include "backends/backends.h"

#include <math.h>
#include <stdlib.h>

#include "engine/program.h"

/* Float and double may fall on two sides of a ReLU's kink, or take different pixels of a pooling
   window. That is no defect, and it strikes some draws only, while a defect shows in all of them:
   the best of a few draws counts. */
#define DRAWS 3

/* In a deep network kinks strike all draws, and where few numbers are normalised rounding grows
   from layer to layer. Results may therefore be as far apart as the reference's own come to be when
   each parameter moves by about this part of itself, which does to the outputs what float does. */
#define MOVE 1e-6

enum { LOSS, OUTPUTS, ROLLING, GRADIENT, PRODUCT, QUANTITIES };

static const struct {
    const char *text;
    double limit;
} quantities[QUANTITIES] = {
    [LOSS] = { "loss = the reference's", 1e-5 },
    [OUTPUTS] = { "outputs = the reference's", 1e-5 },
    [ROLLING] = { "outputs with rolling statistics = the reference's", 1e-5 },
    [GRADIENT] = { "gradient = the reference's", 1e-4 },
    [PRODUCT] = { "Hv = the reference's", 1e-3 },
};

struct results {
    double loss;
    double *outputs, *rolling;  /* (batch*classes) */
    double *gradient, *product; /* (parameters) */
};

struct rig {
    const struct meta_check *check;
    size_t n, outputs;
    int support, batch, tangents;
    double *phi, *v; /* (parameters) */
    float *statistics, *probabilities;
    struct results results[3]; /* reference; other; reference at moved parameters */
    double *owned;             /* memory of the vectors of double above */
};

static void read_outputs(const struct rig *rig, const struct meta_program *p, double *out)
{
    meta_program_probabilities(p, rig->probabilities);
    for (size_t i = 0; i < rig->outputs; i++) out[i] = rig->probabilities[i];
}

/* One draw of everything that is random. */
struct draw {
    int number;
    const float *images;
    const int *labels;
};

/* Runs one backend at rig->phi. The reference comes first: its batch statistics serve all as
   rolling ones. */
static int evaluate(struct rig *rig, const struct meta_backend *backend, const struct draw *draw,
                    struct results *r, struct meta_error *error)
{
    struct meta_program *p = NULL;
    void *vectors[3] = { NULL, NULL, NULL };
    int status = -1;
    if (backend->open(error)) return -1;
    for (int i = 0; i < 3; i++)
        if (!(vectors[i] = backend->allocate(rig->n * backend->element))) {
            meta_fail_memory(error);
            goto fail;
        }
    const struct meta_program_settings settings = { .support = rig->support,
                                                    .query = rig->batch,
                                                    .passes = rig->tangents ? META_TANGENTS
                                                                            : META_GRADIENT };
    if (meta_program_create(&p, rig->check->model->network, backend, settings, error)) goto fail;
    void *phi = vectors[0], *v = vectors[1], *out = vectors[2];
    backend->upload_double(phi, rig->phi, rig->n);
    backend->upload_double(v, rig->v, rig->n);
    meta_program_load(p, draw->images, draw->labels);
    meta_program_dropout(p, (struct meta_dropout_key){ rig->check->seed, draw->number, 0, 0, 1 });
    r->loss = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    read_outputs(rig, p, r->outputs);
    if (backend == meta_backend_exact()) meta_program_batch_statistics(p, rig->statistics);
    meta_program_gradient(p, phi, out);
    backend->download_double(r->gradient, out, rig->n);
    if (rig->tangents) {
        meta_program_hessian_product(p, phi, v, out);
        backend->download_double(r->product, out, rig->n);
    }
    meta_program_forward(p, phi, META_STATISTICS_ROLLING, rig->statistics);
    read_outputs(rig, p, r->rolling);
    status = meta_program_failed(p, error);
fail:
    meta_program_free(p);
    for (int i = 0; i < 3; i++)
        if (vectors[i]) backend->release(vectors[i]);
    return status;
}

static void distances(const struct rig *rig, const struct results *x, const struct results *y,
                      double found[QUANTITIES])
{
    found[LOSS] = meta_check_distance(&x->loss, &y->loss, 1);
    found[OUTPUTS] = meta_check_distance(x->outputs, y->outputs, rig->outputs);
    found[ROLLING] = meta_check_distance(x->rolling, y->rolling, rig->outputs);
    found[GRADIENT] = meta_check_distance(x->gradient, y->gradient, rig->n);
    found[PRODUCT] = meta_check_distance(x->product, y->product, rig->n);
}

/* Raises limits to how far the reference itself comes off at moved parameters. Leaves phi moved. */
static int widen(struct rig *rig, const struct draw *draw, double *limit, struct meta_error *error)
{
    struct results *moved = &rig->results[2];
    double *along = moved->gradient, own[QUANTITIES];
    meta_check_normal(rig->check, META_CHECK_NETWORK, 8 + DRAWS + draw->number, along, rig->n);
    for (size_t i = 0; i < rig->n; i++) rig->phi[i] *= 1 + MOVE * along[i];
    if (evaluate(rig, meta_backend_exact(), draw, moved, error)) return -1;
    distances(rig, &rig->results[0], moved, own);
    for (int q = 0; q < QUANTITIES; q++) limit[q] = fmax(limit[q], own[q]);
    return 0;
}

/* What a draw found, each quantity by itself. */
struct outcome {
    double errors[QUANTITIES], limits[QUANTITIES];
};

/* Compares the backends at draw `number`; `best` takes the quantities that came out better than
   before. */
static int compare(struct rig *rig, const struct meta_backend *backend, int number,
                   struct outcome *best, struct meta_error *error)
{
    struct results *x = &rig->results[0], *y = &rig->results[1];
    double found[QUANTITIES], limit[QUANTITIES];
    float *images = NULL;
    int *labels = NULL, held = 0, status = -1;
    if (meta_check_parameters(rig->check, number, rig->phi, error)
        || meta_check_images(rig->check, 8 + number, rig->support + rig->batch, &images, &labels,
                             error))
        goto fail;
    struct draw draw = { number, images, labels };
    meta_check_normal(rig->check, META_CHECK_NETWORK, 8 + number, rig->v, rig->n);
    if (evaluate(rig, meta_backend_exact(), &draw, x, error)) goto fail;
    if (evaluate(rig, backend, &draw, y, error)) goto fail;
    distances(rig, x, y, found);
    for (int q = 0; q < QUANTITIES; q++) {
        limit[q] = quantities[q].limit;
        held += found[q] <= limit[q];
    }
    if (held < QUANTITIES && widen(rig, &draw, limit, error)) goto fail;
    for (int q = 0; q < QUANTITIES; q++)
        if (found[q] / limit[q] < best->errors[q] / best->limits[q]) {
            best->errors[q] = found[q];
            best->limits[q] = limit[q];
        }
    status = 0;
fail:
    free(images);
    free(labels);
    return status;
}

static int allocate(struct rig *rig, struct meta_error *error)
{
    double *at = rig->owned = calloc(8 * rig->n + 6 * rig->outputs, sizeof *rig->owned);
    rig->statistics = calloc(rig->check->model->network->statistics + 1, sizeof *rig->statistics);
    rig->probabilities = calloc(rig->outputs, sizeof *rig->probabilities);
    if (!rig->owned || !rig->statistics || !rig->probabilities) return meta_fail_memory(error);
    rig->phi = at;
    rig->v = at + rig->n;
    at += 2 * rig->n;
    for (int k = 0; k < 3; k++) {
        rig->results[k] = (struct results){ 0, at, at + rig->outputs, at + 2 * rig->outputs,
                                            at + 2 * rig->outputs + rig->n };
        at += 2 * rig->outputs + 2 * rig->n;
    }
    return 0;
}

int meta_check_backend(const struct meta_check *check, const struct meta_backend *backend,
                       struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    struct rig rig = { .check = check,
                       .n = net->parameters,
                       .support = meta_check_support(check),
                       .batch = meta_check_batch(check),
                       .tangents = meta_check_has_tangents(check) };
    struct outcome best;
    int held = 0, status = -1;
    rig.outputs = (size_t)rig.batch * meta_network_outputs(net);
    if (allocate(&rig, error)) goto fail;
    for (int q = 0; q < QUANTITIES; q++) {
        best.errors[q] = INFINITY;
        best.limits[q] = quantities[q].limit;
    }
    for (int draw = 0; draw < DRAWS && held < QUANTITIES; draw++) {
        if (compare(&rig, backend, draw, &best, error)) goto fail;
        held = 0;
        for (int q = 0; q < QUANTITIES; q++) held += best.errors[q] <= best.limits[q];
    }
    for (int q = 0; q < QUANTITIES; q++)
        if (q != PRODUCT || rig.tangents)
            check->report(check->context,
                          &(struct meta_identity){ -1, backend->name, quantities[q].text,
                                                   best.errors[q], best.limits[q] });
    status = 0;
fail:
    free(rig.owned);
    free(rig.statistics);
    free(rig.probabilities);
    return status;
}
