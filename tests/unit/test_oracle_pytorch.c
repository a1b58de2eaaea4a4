/* The engine's meta-gradients against float64 PyTorch's: every case of tests/oracle, on both backends. */
#include "oracle.h"
#include "learning/inner_loop.h"
#include "learning/learned_rates.h"
#include "config/model.h"
#include "tasks/task_file.h"
#include "network/weights.h"
#include "network/tie.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

struct run {
    const char *name;
    const struct meta_backend *backend;
    double limit;                      /* relative, of the whole gradient and of each array */
};

struct weighing { const struct meta_model *model; long iteration; };

static double weigh(void *context, double loss, double *meta_loss)
{
    const struct weighing *w = context;
    const struct meta_loss_functions *f = w->model->loss->loss;
    *meta_loss = f->value(w->model->loss_settings, loss, w->iteration);
    return f->weight(w->model->loss_settings, loss, w->iteration);
}

/* got (c->count), in .weights order, from a parameter vector. */
struct unpacking { const double *parameters; double *got; };

static void unpack_array(void *context, int layer, const char *what, size_t offset, size_t parameter, size_t count)
{
    const struct unpacking *u = context;
    for (size_t i = 0; i < count; i++) u->got[offset + i] = parameter == META_NONE ? 0 : u->parameters[parameter + i];
}

static double *gradient_of(const struct meta_model *model, const struct run *run, const struct oracle_case *c, struct oracle_figures *figures)
{
    const struct meta_network *net = model->network;
    const struct meta_backend *backend = run->backend;
    struct meta_error error;
    struct meta_task_file file;
    struct meta_worker *worker;
    struct meta_weights_head head;
    float *parameters = calloc(net->parameters, sizeof *parameters), *statistics = calloc(net->statistics + 1, sizeof *statistics);
    if (meta_weights_read(net, c->weights, parameters, statistics, &head, &error)) fail_msg("%s", error.text);
    const struct meta_data data = { .path = "none.data" };
    const struct meta_task_source source = { c->episode, &data, &model->net };
    if (meta_task_file_read(&file, &source, model->episode->ways, &error)) fail_msg("%s", error.text);
    struct meta_inner inner = meta_inner_of(model->inner, file.support, file.query);
    struct meta_learned_rates *rates;
    if (meta_learned_load(&rates, net, meta_rates_how_of(model->inner), backend, c->weights, &error)) fail_msg("%s", error.text);
    assert_int_equal(meta_learned_numbers(rates), c->rate_count);
    inner.rates = meta_learned_rates(rates);
    void *by_rates = c->rate_count ? backend->allocate(c->rate_count * backend->element) : NULL;
    if (meta_worker_create(&worker, net, backend, inner, &error)) fail_msg("%s", error.text);
    void *phi = backend->allocate(net->parameters * backend->element), *gradient = backend->allocate(net->parameters * backend->element);
    backend->upload(phi, parameters, net->parameters);

    struct meta_task task = { file.support_images, file.support_labels, file.query_images, file.query_labels, 0, c->iteration, 0, NULL };
    struct weighing weighing = { model, c->iteration };
    struct meta_weigher weigher = { weigh, &weighing };
    struct meta_task_result result = { .support_loss = figures->support_loss, .gradient = gradient, .rates = by_rates };
    meta_worker_gradient(worker, phi, &task, inner.steps, &weigher, &result);
    figures->steps = inner.steps;
    figures->query_loss = result.query_loss;
    figures->meta_loss = result.meta_loss;
    figures->weight = result.weight;

    double *plain = malloc(net->parameters * sizeof *plain), *got = calloc(c->count, sizeof *got);
    backend->download_double(plain, gradient, net->parameters);
    struct meta_tie *tie;
    if (meta_tie_create(&tie, net, &error)) fail_msg("%s", error.text);
    if (tie) { /* as a .weights file has it */
        double *full = malloc(tie->full->parameters * sizeof *full);
        for (size_t i = 0; i < tie->full->parameters; i++) full[i] = plain[tie->source[i]];
        free(plain);
        plain = full;
    }
    oracle_walk(tie ? tie->full : net, unpack_array, &(struct unpacking){ plain, got });
    meta_tie_free(tie);
    free(plain);
    if (by_rates) {
        double *found = malloc(c->rate_count * sizeof *found), distance;
        backend->download_double(found, by_rates, c->rate_count);
        distance = oracle_rates_distance(found, c);
        print_message("%s on %s: %.1e by the rates\n", run->name, backend->name, distance);
        if (!(distance <= run->limit)) fail_msg("the derivatives by the rates differ by %.2e of their norm", distance);
        free(found);
        backend->release(by_rates);
    }
    meta_learned_free(rates);
    backend->release(phi);
    backend->release(gradient);
    meta_worker_free(worker);
    meta_task_file_free(&file);
    free(parameters);
    free(statistics);
    return got;
}

static void agrees_with_pytorch(void **state)
{
    const struct run *run = *state;
    struct oracle_case c;
    struct oracle_figures figures;
    struct meta_model *model;
    struct meta_error error;
    oracle_open(&c, run->name);
    if (meta_model_load(&model, c.cfg, &error)) fail_msg("%s", error.text);
    double *got = gradient_of(model, run, &c, &figures);
    struct meta_tie *tie;
    if (meta_tie_create(&tie, model->network, &error)) fail_msg("%s", error.text);
    struct oracle_distance d = oracle_compare(tie ? tie->full : model->network, got, &c);
    meta_tie_free(tie);
    print_message("%s on %s: %.1e of the gradient, %.1e of %s\n", run->name, run->backend->name, d.whole, d.worst, d.where);
    oracle_compare_figures(&figures, &c, run->limit < 1e-5 ? run->limit / 10 : 1e-5);
    if (!(d.whole <= run->limit)) fail_msg("the gradient differs by %.2e of its norm", d.whole);
    if (!(d.worst <= run->limit)) fail_msg("%s differ by %.2e of their norm", d.where, d.worst);
    free(got);
    meta_model_free(model);
    oracle_close(&c);
}

/* The full model takes minutes in plain loops, or under valgrind. */
static int too_long(const char *name, const struct meta_backend *backend)
{
    const char *variant = getenv("TEST_VARIANT");
    return !strcmp(name, "daml_4conv") && (backend == &meta_backend_reference || (variant && strcmp(variant, "release")));
}

int main(void)
{
    const struct meta_backend *backends[] = { &meta_backend_onednn, &meta_backend_reference };
    static char **names;           /* for the life of the program */
    int cases = oracle_list(&names), count = 0;
    static struct CMUnitTest *tests;
    tests = calloc(2 * cases, sizeof *tests);
    static struct run *runs;
    runs = calloc(2 * cases, sizeof *runs);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < cases; i++) {
            char title[128];
            if (too_long(names[i], backends[k]) && !getenv("ORACLE_ALL")) continue;
            runs[count] = (struct run){ names[i], backends[k], k ? 1e-9 : 1e-4 };
            if (k && !strcmp(names[i], "daml_4conv")) runs[count].limit = 1e-7;      /* its reference is kept in 4-byte numbers */
            snprintf(title, sizeof title, "%s on %s", names[i], backends[k]->name);
            tests[count] = (struct CMUnitTest){ strdup(title), agrees_with_pytorch, NULL, NULL, &runs[count] };
            count++;
        }
    return _cmocka_run_group_tests("oracle_pytorch", tests, count, NULL, NULL);
}
