/* darknet meta grad: writes the meta-gradient of one task, and prints the losses. */
#include "flags.h"
#include "tasks/data_file.h"
#include "learning/inner_loop.h"
#include "learning/learned_rates.h"
#include "learning/rates_file.h"
#include "learning/weigh.h"
#include "tasks/file_id.h"
#include "tasks/task_file.h"
#include "network/weights.h"
#include "own_output.h"
#include "usage.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct parts {
    struct meta_model *model;
    struct meta_data *data;
    struct meta_task_file task;
    struct meta_worker *worker;
    const struct meta_backend *backend;
    float *parameters, *statistics;
    double *support_loss;             /* (steps) */
    struct meta_learned_rates *rates; /* NULL: fixed */
    void *phi, *gradient, *by_rates;  /* backend vectors */
    long iteration;
};

static void free_parts(struct parts *p)
{
    if (p->phi) p->backend->release(p->phi);
    if (p->gradient) p->backend->release(p->gradient);
    if (p->by_rates) p->backend->release(p->by_rates);
    meta_worker_free(p->worker);
    meta_learned_free(p->rates);
    meta_task_file_free(&p->task);
    free(p->parameters);
    free(p->statistics);
    free(p->support_loss);
    meta_data_free(p->data);
    meta_model_free(p->model);
}

static int load_parts(struct parts *p, const char *weights, const char *episode,
                      struct meta_error *error)
{
    const struct meta_network *net = p->model->network;
    const struct meta_inner_settings *inner = p->model->inner;
    int ways = p->model->episode->ways, outputs = meta_network_outputs(net);
    const struct meta_task_source source = { episode, p->data, &p->model->net };
    p->support_loss = calloc(inner->steps + 1, sizeof *p->support_loss);
    if (!p->support_loss) return meta_fail(error, "out of memory for %d steps", inner->steps);
    if (meta_weights_load(net, weights, &p->parameters, &p->statistics, error)
        || meta_task_file_read(&p->task, &source, ways < outputs ? ways : outputs, error))
        return -1;
    struct meta_inner how = meta_inner_of(inner, p->task.support, p->task.query);
    if (p->backend->open(error)
        || meta_learned_load(&p->rates, net, meta_rates_how_of(inner), p->backend, weights, error))
        return -1;
    how.rates = meta_learned_rates(p->rates);
    if (meta_worker_create(&p->worker, net, p->backend, how, error)) return -1;
    p->phi = p->backend->allocate(net->parameters * p->backend->element);
    p->gradient = p->backend->allocate(net->parameters * p->backend->element);
    if (p->rates)
        p->by_rates = p->backend->allocate(meta_learned_numbers(p->rates) * p->backend->element);
    if (!p->phi || !p->gradient || (p->rates && !p->by_rates))
        return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    p->backend->upload(p->phi, p->parameters, net->parameters);
    return 0;
}

/* Computes the meta-gradient. It takes the place of the weights in p->parameters. */
static int run(struct parts *p, struct meta_task_result *result, struct meta_error *error)
{
    const struct meta_network *net = p->model->network;
    struct meta_task task = { .support = p->task.support_images,
                              .support_labels = p->task.support_labels,
                              .query = p->task.query_images,
                              .query_labels = p->task.query_labels,
                              .iteration = p->iteration };
    struct meta_weighing weighing = { p->model, p->iteration };
    struct meta_weigher weigher = meta_weigher_of(&weighing);
    /* divided by its mean, the weight of a task alone is 1 */
    int alone = meta_weigh_normalises(p->model);
    result->support_loss = p->support_loss;
    result->gradient = p->gradient;
    result->rates = p->by_rates;
    meta_worker_gradient(p->worker, p->phi, &task, p->model->inner->steps, alone ? NULL : &weigher,
                         result);
    if (alone) meta_weigh(p->model, result->loss, p->iteration, &result->meta_loss);
    if (meta_worker_failed(p->worker, error)) return -1;
    p->backend->download(p->parameters, p->gradient, net->parameters);
    int finite = isfinite(result->query_loss) && isfinite(result->meta_loss)
        && isfinite(result->weight);
    for (size_t i = 0; i < net->parameters; i++) finite &= isfinite(p->parameters[i]);
    if (!finite)
        return meta_fail(error,
                         "%s: the gradient is not finite: [inner_loop] learning_rate=%g is too "
                         "high for these weights",
                         p->model->path, p->model->inner->learning_rate);
    for (size_t i = 0; i < net->statistics; i++) p->statistics[i] = 0;
    return 0;
}

/* The derivatives by learned rates lie beside the gradient, as the rates beside the weights. */
static int write_rates(const struct parts *p, const char *out, struct meta_error *error)
{
    size_t numbers = meta_learned_numbers(p->rates);
    if (!numbers) return 0;
    float *value = malloc(numbers * sizeof *value);
    if (!value) return meta_fail_memory(error);
    p->backend->download(value, p->by_rates, numbers);
    int status = 0;
    for (size_t i = 0; i < numbers && !status; i++)
        if (!isfinite(value[i]))
            status = meta_fail(error, "%s: the gradient of the rates is not finite",
                               p->model->path);
    if (!status)
        status = meta_rates_save(p->model->network, meta_rates_how_of(p->model->inner), out, value,
                                 error);
    free(value);
    return status;
}

/* Refuses to write over what is no gradient, and derivatives over rates. */
static int check_out(const struct parts *p, const char *out, const char *weights,
                     struct meta_error *error)
{
    char *from = meta_rates_path(weights), *to = meta_rates_path(out);
    int own = meta_weights_gradient(out), status = from && to ? 0 : meta_fail_memory(error);
    if (!status) status = meta_own_output("-out", out, own, "meta grad", error);
    if (!status && p->model->inner->rates && meta_file_id_same(from, to))
        status = meta_fail(error, "-out %s: %s has the rates of %s: must be another name", out, to,
                           weights);
    else if (!status && p->model->inner->rates)
        status = meta_own_output("-out", to, own, "meta grad", error);
    free(from);
    free(to);
    return status;
}

static void print_figures(const struct meta_task_result *result, int steps)
{
    printf("{\"support_loss\": [");
    for (int s = 0; s < steps; s++) printf("%s%.17g", s ? ", " : "", result->support_loss[s]);
    printf("], \"query_loss\": %.17g, \"meta_loss\": %.17g, \"weight\": %.17g}\n",
           result->query_loss, result->meta_loss, result->weight);
}

int meta_command_grad(int argc, char **argv)
{
    const char *episode = NULL, *out = NULL, *iteration = NULL, *backend = NULL, *kernels = NULL;
    const struct meta_flag flags[] = {
        { "-episode", "FILE", "the task: lines `support LABEL PATH` and `query LABEL PATH`",
          &episode, NULL },
        { "-out", "FILE.weights", "where the gradient is written, as Darknet writes weights", &out,
          NULL },
        { "-iteration", "N",
          "of [meta_loss] start, second_order_start and multi_step ([net] max_batches)", &iteration,
          NULL },
        { "-backend", "NAME",
          "reference or onednn (reference): in double, or as `meta train` computes it", &backend,
          NULL },
        { "-kernels", "SET", "own or onednn (own): 3x3 convolutions by tiles, or oneDNN's",
          &kernels, NULL },
    };
    struct meta_error error;
    struct parts p = { 0 };
    struct meta_task_result result = { 0 };
    const struct meta_syntax syntax = { "grad DATA CFG WEIGHTS -episode FILE -out FILE.weights", 3,
                                        3, flags, sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    p.backend = meta_flag_kernels(meta_flag_backend(backend, "reference"), kernels);
    if (!episode) {
        meta_fail(&error, "-episode is missing: must name the task's file");
        goto fail;
    }
    if (!out) {
        meta_fail(&error, "-out is missing: must name the file to write");
        goto fail;
    }
    if (meta_flag_out(out, (const char *[]){ argv[0], argv[1], argv[2], episode }, 4, &error)
        || meta_model_load(&p.model, argv[1], &error) || check_out(&p, out, argv[2], &error)
        || meta_data_read(&p.data, argv[0], &error))
        goto fail;
    p.iteration = meta_flag_int("-iteration", iteration, p.model->net.max_batches, 0, LONG_MAX);
    if (load_parts(&p, argv[2], episode, &error) || run(&p, &result, &error)
        || write_rates(&p, out, &error)
        || meta_weights_write(p.model->network, out, p.parameters, p.statistics,
                              (struct meta_weights_head){ .gradient = 1 }, &error))
        goto fail;
    print_figures(&result, p.model->inner->steps);
    free_parts(&p);
    return 0;
fail:
    free_parts(&p);
    return meta_complain(&error);
}
