/* Adapts a meta-trained network to a support set (Eq. 2), and predicts with networks whose numbers
   are fixed. */
#include "adapt.h"
#include "images/turns.h"
#include "adapt_pairing.h"
#include "learning/learned_rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CLASSES 1000 /* as [episode] ways= */
#define MOST_AT_ONCE 16   /* images that meta_adapted_predict computes at a time */

static int refuse_pairing(const struct meta_network *net, struct meta_error *error)
{
    return meta_fail(error,
                     "[%s]: compares a task's images, and has nothing to adapt: must be a network "
                     "that ends in [softmax], right behind %s",
                     meta_layer_name(&net->layers[net->pairing]),
                     net->layers[net->pairing].plugin->pairing->linear ? "it" : "[prototype]");
}

int meta_adapt_check_network(const struct meta_network *net, const char *path,
                             struct meta_error *error)
{
    if (meta_network_adapts(net)) return 0;
    struct meta_error why;
    refuse_pairing(net, &why);
    return meta_fail(error, "%s:%d: %s", path, net->layers[net->pairing].line, why.text);
}

int meta_adapt_most_classes(const struct meta_network *net)
{
    return net->ways ? MOST_CLASSES : meta_network_outputs(net);
}

const char *meta_adapt_classes(char text[META_ADAPT_WORDS], int most)
{
    if (most == 2) snprintf(text, META_ADAPT_WORDS, "2");
    else snprintf(text, META_ADAPT_WORDS, "2 to %d", most);
    return text;
}

static int check_support(const struct meta_network *net, const struct meta_support *s, int steps,
                         struct meta_error *error)
{
    int count = 0, outputs = meta_adapt_most_classes(net);
    char words[META_ADAPT_WORDS];
    if (!meta_network_adapts(net)) return refuse_pairing(net, error);
    if (net->ways && steps)
        return meta_fail(error, "%d steps: must be 0: [%s] takes no steps in a task", steps,
                         meta_layer_name(&net->layers[net->pairing]));
    if (steps < 0) return meta_fail(error, "%d steps: must be at least 0", steps);
    if (s->classes < 2 || s->classes > outputs)
        return meta_fail(error, "%d classes: must be %s, which the network tells apart", s->classes,
                         meta_adapt_classes(words, outputs));
    if (s->n < s->classes)
        return meta_fail(error, "%d images of %d classes: must be at least one of each", s->n,
                         s->classes);
    for (int i = 0; i < s->n; i++)
        if (s->labels[i] < 0 || s->labels[i] >= s->classes)
            return meta_fail(error, "label %d of image %d: must be 0 to %d", s->labels[i], i,
                             s->classes - 1);
    for (int k = 0; k < s->classes; k++, count = 0) {
        for (int i = 0; i < s->n; i++) count += s->labels[i] == k;
        if (!count) return meta_fail(error, "class %d has no image: must have at least one", k);
    }
    return 0;
}

static int all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

/* shares (n): n / (classes * images of the class), which is exactly 1 where all have as many. */
static void balance(const struct meta_support *s, double *shares)
{
    for (int k = 0; k < s->classes; k++) {
        double count = 0;
        for (int i = 0; i < s->n; i++) count += s->labels[i] == k;
        for (int i = 0; i < s->n; i++)
            if (s->labels[i] == k) shares[i] = s->n / (s->classes * count);
    }
}

/* The rates of parameters, of which `net`, narrowed to the first classes, has fewer: they are
   narrowed as if they were the parameters. */
static int narrow_rates(struct meta_learned_rates *rates, const struct meta_base *base,
                        const struct meta_network *net, int classes, struct meta_error *error)
{
    struct meta_filled wide = base->filled, narrow = { 0 };
    size_t n = wide.network->parameters;
    struct meta_rates moving = meta_rates_fixed(wide.network, 0, base->how.head);
    if (!(wide.parameters = calloc(n, sizeof *wide.parameters))) return meta_fail_memory(error);
    memcpy(wide.parameters + moving.first, base->rates, moving.count * sizeof *base->rates);
    int status = meta_filled_narrow(&narrow, &wide, classes, error);
    if (!status)
        meta_learned_set(rates, narrow.parameters + net->parameters - meta_learned_numbers(rates));
    meta_filled_clear(&narrow);
    free(wide.parameters);
    return status;
}

/* *rates stays NULL where they are fixed. */
static int make_rates(struct meta_learned_rates **rates, const struct meta_base *base,
                      const struct meta_network *net, int classes, struct meta_error *error)
{
    if (!base->rates) return 0;
    if (meta_learned_create(rates, net, base->how, base->backend, error)) return -1;
    if (base->how.kind == META_RATES_PARAMETER)
        return narrow_rates(*rates, base, net, classes, error);
    meta_learned_set(*rates, base->rates);
    return 0;
}

/* Replaces phi in a->filled by phi_S. */
static int learn(struct meta_adapted *a, const struct meta_base *base, const struct meta_support *s,
                 int steps, struct meta_error *error)
{
    const struct meta_network *net = a->filled.network;
    const struct meta_backend *backend = a->backend;
    struct meta_inner how = { .support = s->n,
                              .steps = steps,
                              .learning_rate = base->learning_rate,
                              .rule = base->rule,
                              .head = base->how.head,
                              .imprint = base->imprint,
                              .bn = META_BN_SUPPORT };
    double *shares = malloc(s->n * sizeof *shares);
    struct meta_task task = { .support = s->images,
                              .support_labels = s->labels,
                              .support_shares = s->plain ? NULL : shares };
    struct meta_task_result unused = { 0 };
    struct meta_learned_rates *rates = NULL;
    struct meta_worker *worker = NULL;
    void *phi = NULL;
    int status = -1;
    if (!shares) {
        meta_fail(error, "out of memory for %d images", s->n);
        goto fail;
    }
    balance(s, shares);
    if (make_rates(&rates, base, net, s->classes, error)) goto fail;
    how.rates = meta_learned_rates(rates);
    if (meta_worker_create(&worker, net, backend, how, error)) goto fail;
    if (!(phi = backend->allocate(net->parameters * backend->element))) {
        meta_fail(error, "out of memory for %zu parameters", net->parameters);
        goto fail;
    }
    backend->upload(phi, a->filled.parameters, net->parameters);
    const void *start = meta_worker_learn(worker, phi, &task, 0, &unused);
    a->loss_before = meta_worker_support(worker, start, &task, NULL);
    const void *adapted = meta_worker_learn(worker, phi, &task, steps, &unused);
    a->loss_after = meta_worker_support(worker, adapted, &task, a->support);
    if (meta_worker_failed(worker, error)) goto fail;
    backend->download(a->filled.parameters, adapted, net->parameters);
    if (isfinite(a->loss_after) && all_finite(a->filled.parameters, net->parameters)
        && all_finite(a->support, net->statistics))
        status = 0;
    else
        meta_fail(error,
                  "after %d steps the weights are not finite: learning_rate=%g is too high for "
                  "them",
                  steps, base->learning_rate);
fail:
    if (phi) backend->release(phi);
    meta_worker_free(worker);
    meta_learned_free(rates);
    free(shares);
    return status;
}

/* Fills *all with the copies of the images, copy by copy; the caller frees its arrays, also after a
   failure. */
static int copy_support(struct meta_support *all, const struct meta_support *s,
                        struct meta_shape in, struct meta_error *error)
{
    size_t numbers = meta_shape_numbers(in), count = (size_t)s->n * s->copies;
    float *images = malloc(count * numbers * sizeof *images);
    int *labels = malloc(count * sizeof *labels);
    *all = *s;
    all->images = images;
    all->labels = labels;
    all->n = (int)count;
    all->copies = 1;
    if (!images || !labels) return meta_fail(error, "out of memory for %zu images", count);
    for (size_t i = 0; i < count; i++) {
        meta_turn(images + i * numbers, s->images + i % s->n * numbers, in.c, in.h, in.w,
                  (int)(i / s->n));
        labels[i] = s->labels[i % s->n];
    }
    return 0;
}

static int adapt_to_copies(struct meta_adapted **out, const struct meta_base *base,
                           const struct meta_support *s, int steps, struct meta_error *error)
{
    const struct meta_shape in = base->filled.network->input;
    struct meta_support all;
    if (s->copies > meta_turns(in.h, in.w))
        return meta_fail(error, "%d copies of an image: must be 1 to %d", s->copies,
                         meta_turns(in.h, in.w));
    int status = copy_support(&all, s, in, error) || meta_adapt(out, base, &all, steps, error);
    free((void *)all.images);
    free((void *)all.labels);
    return status ? -1 : 0;
}

int meta_adapt(struct meta_adapted **out, const struct meta_base *base,
               const struct meta_support *s, int steps, struct meta_error *error)
{
    if (check_support(base->filled.network, s, steps, error)) return -1;
    if (s->copies > 1) return adapt_to_copies(out, base, s, steps, error);
    struct meta_adapted *a = calloc(1, sizeof *a);
    if (!a) return meta_fail_memory(error);
    a->backend = base->backend;
    memcpy(a->temperature, base->temperature, sizeof a->temperature);
    if (base->filled.network->ways
            ? meta_adapt_pairing(a, base, s, error)
            : meta_filled_narrow(&a->filled, &base->filled, s->classes, error))
        goto fail;
    a->support = calloc(a->filled.network->statistics + 1, sizeof *a->support);
    if (!a->support) {
        meta_fail_memory(error);
        goto fail;
    }
    if (learn(a, base, s, steps, error)) goto fail;
    *out = a;
    return 0;
fail:
    meta_adapted_free(a);
    return -1;
}

void meta_adapted_free(struct meta_adapted *a)
{
    if (!a) return;
    meta_filled_clear(&a->filled);
    free(a->support);
    free(a->running);
    free(a);
}

int meta_adapted_network(struct meta_network *network, const struct meta_adapted *a,
                         enum meta_bn bn, struct meta_error *error)
{
    const struct meta_network *own = a->filled.network;
    *network = *own;
    if (!(network->layers = malloc(own->count * sizeof *own->layers)))
        return meta_fail_memory(error);
    memcpy(network->layers, own->layers, own->count * sizeof *own->layers);
    if (a->temperature[bn] != 0) network->layers[own->count - 1].temperature *= a->temperature[bn];
    return 0;
}

const float *meta_adapted_statistics(const struct meta_adapted *a, enum meta_bn bn)
{
    return bn == META_BN_BATCH ? NULL : bn == META_BN_SUPPORT ? a->support : a->filled.statistics;
}

struct meta_filled meta_adapted_filled(const struct meta_adapted *a, enum meta_bn bn)
{
    struct meta_filled f = a->filled;
    if (bn == META_BN_SUPPORT) f.statistics = a->support;
    if (bn == META_BN_RUNNING && a->running) f.parameters = a->running;
    return f;
}

/* ---- predicting ------------------------------------------------------------------------------ */

struct meta_predictor {
    const struct meta_network *network;
    const struct meta_backend *backend;
    const float *statistics;
    struct meta_program *program;
    int batch;
    void *parameters;     /* a backend vector */
    int *labels;          /* (batch) zeros, since the labels are unknown */
    float *probabilities; /* (batch, outputs) */
    double *log_odds;     /* (batch, outputs) */
};

int meta_predictor_create(struct meta_predictor **out, const struct meta_filled *filled,
                          const float *statistics, const struct meta_backend *backend, int batch,
                          struct meta_error *error)
{
    const struct meta_network *net = filled->network;
    if (net->ways || batch < 1)
        return meta_fail(error,
                         batch < 1 ? "a batch of %d images: must be at least 1"
                                   : "a network that pairs has no answer for %d images alone",
                         batch);
    if (!statistics && meta_network_check_batch(net, batch, error)) return -1;
    struct meta_predictor *p = calloc(1, sizeof *p);
    if (!p) return meta_fail_memory(error);
    p->network = net;
    p->backend = backend;
    p->statistics = statistics;
    p->batch = batch;
    if (meta_program_create(&p->program, net, backend,
                            (struct meta_program_settings){ .query = batch,
                                                            .passes = META_FORWARD },
                            error))
        goto fail;
    p->parameters = backend->allocate(net->parameters * backend->element);
    p->labels = calloc(batch, sizeof *p->labels);
    size_t outputs = (size_t)batch * meta_network_outputs(net);
    p->probabilities = malloc(outputs * sizeof *p->probabilities);
    p->log_odds = malloc(outputs * sizeof *p->log_odds);
    if (!p->parameters || !p->labels || !p->probabilities || !p->log_odds) {
        meta_fail(error, "out of memory for %d images at a time", batch);
        goto fail;
    }
    backend->upload(p->parameters, filled->parameters, net->parameters);
    *out = p;
    return 0;
fail:
    meta_predictor_free(p);
    return -1;
}

void meta_predictor_free(struct meta_predictor *p)
{
    if (!p) return;
    meta_program_free(p->program);
    if (p->parameters) p->backend->release(p->parameters);
    free(p->labels);
    free(p->probabilities);
    free(p->log_odds);
    free(p);
}

/* The rest of a batch that is not full keeps older images; with statistics given, no answer depends
   on another image. */
int meta_predictor_run(struct meta_predictor *p, const float *images, int n,
                       struct meta_answer answer, struct meta_error *error)
{
    int outputs = meta_network_outputs(p->network);
    enum meta_statistics kind = p->statistics ? META_STATISTICS_ROLLING : META_STATISTICS_BATCH;
    if (n < 0 || (!p->statistics && n != p->batch))
        return meta_fail(error, "%d images: must be %d, which are normalised together", n,
                         p->batch);
    for (int i = 0; i < n; i += p->batch) {
        int count = n - i < p->batch ? n - i : p->batch;
        meta_program_load_some(p->program, 0, count,
                               images + i * meta_shape_numbers(p->network->input), p->labels);
        meta_program_forward(p->program, p->parameters, kind, p->statistics);
        if (meta_program_failed(p->program, error)) return -1;
        size_t at = (size_t)i * outputs, numbers = (size_t)count * outputs;
        if (answer.probabilities) {
            meta_program_probabilities(p->program, p->probabilities);
            memcpy(answer.probabilities + at, p->probabilities, numbers * sizeof(float));
        }
        if (answer.log_odds) {
            meta_program_log_odds(p->program, p->log_odds);
            memcpy(answer.log_odds + at, p->log_odds, numbers * sizeof(double));
        }
    }
    return 0;
}

int meta_adapted_predict(const struct meta_adapted *a, enum meta_bn bn, const float *images, int n,
                         struct meta_answer answer, struct meta_error *error)
{
    struct meta_predictor *p = NULL;
    struct meta_network network;
    struct meta_filled filled = meta_adapted_filled(a, bn);
    int batch = bn == META_BN_BATCH || n < MOST_AT_ONCE ? n : MOST_AT_ONCE;
    if (!n) return 0;
    if (meta_adapted_network(&network, a, bn, error)) return -1;
    filled.network = &network;
    int status = meta_predictor_create(&p, &filled, meta_adapted_statistics(a, bn), a->backend,
                                       batch, error)
            || meta_predictor_run(p, images, n, answer, error)
        ? -1
        : 0;
    meta_predictor_free(p);
    free(network.layers);
    return status;
}
