/* The meta-gradient of an iteration of several tasks against PyTorch's (scripts/reference/iteration.py). */
#include "oracle.h"
#include <stdint.h>
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include "learning/outer_loop.h"
#include "network/weights.h"
#include "tasks/task_file.h"

enum { TASKS = 4 };
#define FOLDER ORACLE "/normalise"

/* The parts of a case: FOLDER has the tasks, the .cfg and the gradient, eta5 the weights. */
struct iteration {
    struct oracle_case c;
    struct meta_model *model;
    struct meta_task_file files[TASKS];
    struct meta_batch batches[TASKS];
    const struct meta_batch *list[TASKS];
    float *parameters, *statistics;
};

static void open_iteration(struct iteration *it)
{
    struct meta_error error;
    struct meta_weights_head head;
    const struct meta_data data = { .path = "none.data" };
    oracle_open(&it->c, "eta5");
    free(it->c.gradient);
    snprintf(it->c.name, sizeof it->c.name, "normalise");
    oracle_read_gradient(&it->c);
    if (meta_model_load(&it->model, FOLDER "/iteration.cfg", &error)) fail_msg("%s", error.text);
    const struct meta_network *net = it->model->network;
    it->parameters = calloc(net->parameters, sizeof(float));
    it->statistics = calloc(net->statistics + 1, sizeof(float));
    if (meta_weights_read(net, it->c.weights, it->parameters, it->statistics, &head, &error)) fail_msg("%s", error.text);
    for (int k = 0; k < TASKS; k++) {
        char path[100];
        snprintf(path, sizeof path, FOLDER "/task%d.txt", k + 1);
        const struct meta_task_source source = { path, &data, &it->model->net };
        struct meta_task_file *f = &it->files[k];
        if (meta_task_file_read(f, &source, it->model->episode->ways, &error)) fail_msg("%s", error.text);
        it->batches[k] = (struct meta_batch){ NULL, f->support_images, f->support_labels, f->query_images, f->query_labels };
        it->list[k] = &it->batches[k];
    }
}

static void close_iteration(struct iteration *it)
{
    for (int k = 0; k < TASKS; k++) meta_task_file_free(&it->files[k]);
    free(it->parameters);
    free(it->statistics);
    meta_model_free(it->model);
    oracle_close(&it->c);
}

struct unpacking { const double *parameters; double *got; };

static void unpack_array(void *context, int layer, const char *what, size_t offset, size_t parameter, size_t count)
{
    struct unpacking *u = context;
    for (size_t i = 0; i < count; i++) u->got[offset + i] = parameter == META_NONE ? 0 : u->parameters[parameter + i];
}

/* The gradient in .weights order: what a step of gradient descent takes off phi, divided by its rate, a power of 2. */
static double *gradient_of(struct iteration *it, const struct meta_backend *b, struct meta_outer_result *result)
{
    const double rate = 0x1p10;
    struct meta_error error;
    struct meta_pool *pool;
    struct meta_outer *outer;
    size_t n = it->model->network->parameters;
    double *plain = malloc(n * sizeof *plain), *got = calloc(it->c.count, sizeof *got);
    it->model->net.adam = 0;
    it->model->net.momentum = it->model->net.decay = 0;
    if (meta_pool_create(&pool, 2, &error) || meta_outer_create(&outer, &(struct meta_outer_parts){ it->model, b, pool, 1, NULL, NULL }, &error)) fail_msg("%s", error.text);
    meta_outer_upload(outer, it->parameters, it->statistics);
    if (meta_outer_step(outer, it->list, it->c.iteration, rate, result, &error)) fail_msg("%s", error.text);
    b->download_double(plain, meta_outer_parameters(outer), n);
    for (size_t i = 0; i < n; i++) plain[i] = (it->parameters[i] - plain[i]) / rate;
    oracle_walk(it->model->network, unpack_array, &(struct unpacking){ plain, got });
    free(plain);
    meta_outer_free(outer);
    meta_pool_free(pool);
    return got;
}

static void agrees_with_pytorch(void **state)
{
    const struct meta_backend *b = *state;
    const double limit = b == &meta_backend_reference ? 1e-9 : 1e-4;
    struct iteration it;
    struct meta_outer_result result;
    char *text;
    size_t size;
    struct meta_error error;
    open_iteration(&it);
    double *got = gradient_of(&it, b, &result);
    struct oracle_distance d = oracle_compare(it.model->network, got, &it.c);
    print_message("%s: %.1e of the gradient, %.1e of %s\n", b->name, d.whole, d.worst, d.where);
    if (!(d.whole <= limit && d.worst <= limit)) fail_msg("the gradient differs by %.2e of its norm, %s by %.2e", d.whole, d.where, d.worst);
    if (meta_file_read(FOLDER "/figures.json", &text, &size, &error)) fail_msg("%s", error.text);
    cJSON *json = cJSON_Parse(text);
    oracle_assert_relative("query_loss", result.query_loss, oracle_number(json, "query_loss"), limit);
    oracle_assert_relative("meta_loss", result.meta_loss, oracle_number(json, "meta_loss"), 20 * limit);
    cJSON_Delete(json);
    free(text);
    free(got);
    close_iteration(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "weights divided by their mean on onednn", agrees_with_pytorch, NULL, NULL, (void *)&meta_backend_onednn },
        { "weights divided by their mean on reference", agrees_with_pytorch, NULL, NULL, (void *)&meta_backend_reference },
    };
    return _cmocka_run_group_tests("oracle_iteration", tests, sizeof tests / sizeof *tests, NULL, NULL);
}
