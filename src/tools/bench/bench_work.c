/* The work that a benchmark times, and the memory of a process that does it. */
#include "bench_work.h"
#include "base/clock.h"
#include "engine/program.h"
#include "learning/learned_rates.h"

#include <stdlib.h>
#include <sys/resource.h>

struct meta_work {
    const struct meta_bench_plan *plan;
    struct meta_work_spec spec;
    struct meta_pool *pool;
    int threads, support, query;
    struct meta_program **program;    /* (threads) */
    struct meta_worker **worker;      /* (threads) */
    struct meta_learned_rates *rates; /* of the workers' tasks; NULL: they are fixed */
    void **by_rates;                  /* (threads) backend vectors: the derivatives by them */
    void *phi, *v, **out;             /* backend vectors; out: (threads) */
    struct meta_model model;          /* a copy of the plan's with this `inner` */
    struct meta_inner_settings inner;
    struct meta_outer *outer;
    struct meta_batch *batch; /* (tasks), and pointers to them */
    const struct meta_batch **batches;
    float *images; /* of all programs or tasks */
    int *labels;
};

/* ---- making ---------------------------------------------------------------------------------- */

static int make_vectors(struct meta_work *w, struct meta_error *error)
{
    const struct meta_backend *b = w->plan->backend;
    size_t n = w->plan->model->network->parameters;
    double *x = malloc(n * sizeof *x);
    int status = -1;
    w->phi = b->allocate(n * b->element);
    w->v = b->allocate(n * b->element);
    w->out = calloc(w->threads, sizeof *w->out);
    if (!x || !w->phi || !w->v || !w->out) goto memory;
    for (int i = 0; i < w->threads; i++)
        if (!(w->out[i] = b->allocate(n * b->element))) goto memory;
    if (meta_check_parameters(&w->plan->data, 0, x, error)) goto fail;
    b->upload_double(w->phi, x, n);
    meta_check_normal(&w->plan->data, META_CHECK_NETWORK, 0, x, n);
    b->upload_double(w->v, x, n);
    status = 0;
    goto fail;
memory:
    meta_fail(error, "out of memory for %zu parameters", n);
fail:
    free(x);
    return status;
}

static int make_programs(struct meta_work *w, struct meta_error *error)
{
    const struct meta_bench_plan *plan = w->plan;
    static const enum meta_passes passes[] = { [META_WORK_FORWARD] = META_FORWARD,
                                               [META_WORK_GRADIENT] = META_GRADIENT,
                                               [META_WORK_PRODUCT] = META_TANGENTS };
    int support = plan->model->network->ways ? w->support : 0;
    if (meta_check_images(&plan->data, 0, w->spec.batch, &w->images, &w->labels, error)) return -1;
    if (!(w->program = calloc(w->threads, sizeof *w->program))) return meta_fail_memory(error);
    const struct meta_program_settings settings = { .support = support,
                                                    .query = w->spec.batch - support,
                                                    .passes = passes[w->spec.kind] };
    for (int i = 0; i < w->threads; i++) {
        if (meta_program_create(&w->program[i], plan->model->network, plan->backend, settings,
                                error))
            return -1;
        meta_program_load(w->program[i], w->images, w->labels);
        meta_program_dropout(w->program[i],
                             (struct meta_dropout_key){ plan->data.seed, 0, i, 0, 1 });
        meta_program_forward(w->program[i], w->phi, META_STATISTICS_BATCH, NULL);
        if (w->spec.kind == META_WORK_PRODUCT)
            meta_program_gradient(w->program[i], w->phi, w->out[i]);
    }
    return 0;
}

/* Makes the images of `count` tasks, one task after the other: support, then query. */
static int make_tasks(struct meta_work *w, int count, struct meta_error *error)
{
    int each = w->support + w->query;
    size_t image = meta_shape_numbers(w->plan->model->network->input);
    if (meta_check_images(&w->plan->data, 0, count * each, &w->images, &w->labels, error))
        return -1;
    w->batch = calloc(count, sizeof *w->batch);
    w->batches = calloc(count, sizeof *w->batches);
    if (!w->batch || !w->batches) return meta_fail_memory(error);
    for (int i = 0; i < count; i++) {
        float *images = w->images + i * each * image;
        int *labels = w->labels + i * each;
        w->batch[i] = (struct meta_batch){ NULL, images, labels, images + w->support * image,
                                           labels + w->support };
        w->batches[i] = &w->batch[i];
    }
    return 0;
}

/* Learned rates, where they begin. */
static int make_rates(struct meta_work *w, struct meta_error *error)
{
    const struct meta_backend *b = w->plan->backend;
    if (meta_learned_create(&w->rates, w->plan->model->network, meta_rates_how_of(&w->inner), b,
                            error))
        return -1;
    if (!w->rates) return 0;
    meta_learned_fill(w->rates, w->inner.learning_rate);
    if (!(w->by_rates = calloc(w->threads, sizeof *w->by_rates))) return meta_fail_memory(error);
    for (int i = 0; i < w->threads; i++)
        if (!(w->by_rates[i] = b->allocate(meta_learned_numbers(w->rates) * b->element)))
            return meta_fail_memory(error);
    return 0;
}

static int make_workers(struct meta_work *w, struct meta_error *error)
{
    struct meta_inner inner = meta_inner_of(&w->inner, w->support, w->query);
    if (make_rates(w, error)) return -1;
    inner.rates = meta_learned_rates(w->rates);
    if (!(w->worker = calloc(w->threads, sizeof *w->worker))) return meta_fail_memory(error);
    for (int i = 0; i < w->threads; i++)
        if (meta_worker_create(&w->worker[i], w->plan->model->network, w->plan->backend, inner,
                               error))
            return -1;
    return 0;
}

static int make_outer(struct meta_work *w, struct meta_error *error)
{
    const struct meta_network *net = w->plan->model->network;
    float *parameters = malloc(net->parameters * sizeof *parameters),
          *statistics = calloc(net->statistics + 1, sizeof *statistics);
    int status = parameters && statistics
        ? 0
        : meta_fail(error, "out of memory for %zu parameters", net->parameters);
    const struct meta_outer_parts parts = { &w->model,          w->plan->backend,   w->pool,
                                            w->plan->data.seed, w->plan->transport, NULL };
    if (!status) status = meta_outer_create(&w->outer, &parts, error);
    if (!status) {
        w->plan->backend->download(parameters, w->phi, net->parameters);
        meta_outer_upload(w->outer, parameters, statistics);
    }
    free(parameters);
    free(statistics);
    return status;
}

int meta_work_create(struct meta_work **out, const struct meta_bench_plan *plan,
                     struct meta_work_spec spec, struct meta_pool *pool, struct meta_error *error)
{
    const struct meta_episode_settings *episode = plan->model->episode;
    struct meta_work *w = calloc(1, sizeof *w);
    if (!w) return meta_fail_memory(error);
    w->plan = plan;
    w->spec = spec;
    w->pool = pool;
    w->threads = meta_pool_threads(pool);
    w->support = episode->ways * episode->shots;
    w->query = episode->ways * episode->queries;
    w->model = *plan->model;
    w->inner = *plan->model->inner;
    w->inner.order = spec.order;
    w->inner.keep = spec.keep;
    w->inner.second_order_start = 0;
    w->model.inner = &w->inner;
    if (plan->backend->open(error) || make_vectors(w, error)) goto fail;
    if (spec.kind <= META_WORK_PRODUCT ? make_programs(w, error)
            : spec.kind == META_WORK_TASK
            ? make_tasks(w, w->threads, error) || make_workers(w, error)
            : make_tasks(w, episode->tasks, error) || make_outer(w, error))
        goto fail;
    *out = w;
    return 0;
fail:
    meta_work_free(w);
    return -1;
}

void meta_work_free(struct meta_work *w)
{
    if (!w) return;
    const struct meta_backend *b = w->plan->backend;
    for (int i = 0; i < w->threads; i++) {
        if (w->program) meta_program_free(w->program[i]);
        if (w->worker) meta_worker_free(w->worker[i]);
        if (w->out && w->out[i]) b->release(w->out[i]);
        if (w->by_rates && w->by_rates[i]) b->release(w->by_rates[i]);
    }
    meta_learned_free(w->rates);
    meta_outer_free(w->outer);
    if (w->phi) b->release(w->phi);
    if (w->v) b->release(w->v);
    free(w->program);
    free(w->worker);
    free(w->by_rates);
    free(w->out);
    free(w->batch);
    free(w->batches);
    free(w->images);
    free(w->labels);
    free(w);
}

/* ---- running --------------------------------------------------------------------------------- */

static void run_one(void *context, int index, int worker)
{
    struct meta_work *w = context;
    struct meta_task_result result = { .gradient = w->out[index],
                                       .rates = w->by_rates ? w->by_rates[index] : NULL };
    if (w->worker) {
        const struct meta_batch *b = w->batches[index];
        struct meta_task task = {
            b->support,
            b->support_labels,
            b->query,
            b->query_labels,
            w->plan->data.seed,
            w->model.net.max_batches, /* as meta_work_step: of the training's end */
            index,
            NULL
        };
        meta_worker_gradient(w->worker[index], w->phi, &task, w->inner.steps, NULL, &result);
        return;
    }
    struct meta_program *p = w->program[index];
    if (w->spec.kind == META_WORK_PRODUCT)
        meta_program_hessian_product(p, w->phi, w->v, w->out[index]);
    else meta_program_forward(p, w->phi, META_STATISTICS_BATCH, NULL);
    if (w->spec.kind == META_WORK_GRADIENT) meta_program_gradient(p, w->phi, w->out[index]);
}

/* At rate 0 the optimiser does all its work and changes nothing: every run is the same. */
int meta_work_step(struct meta_work *w, struct meta_outer_result *result, double *update,
                   struct meta_error *error)
{
    if (meta_outer_gradient(w->outer, w->batches, w->model.net.max_batches, result, error))
        return -1;
    double begun = meta_now();
    int status = meta_outer_update(w->outer, 0, result, error);
    *update = meta_now() - begun;
    return status;
}

int meta_work_run(void *work, double *processor, struct meta_error *error)
{
    struct meta_work *w = work;
    struct meta_outer_result result;
    double begun = meta_processor_time(), update;
    int status = 0;
    if (w->outer) status = meta_work_step(w, &result, &update, error);
    else meta_pool_run(w->pool, w->threads, run_one, w);
    *processor = meta_processor_time() - begun;
    for (int i = 0; i < w->threads && !status; i++) {
        if (w->worker) status = meta_worker_failed(w->worker[i], error);
        else if (w->program) status = meta_program_failed(w->program[i], error);
    }
    return status;
}

const struct meta_outer *meta_work_outer(const struct meta_work *w) { return w->outer; }

struct meta_program *meta_work_program(const struct meta_work *w) { return w->program[0]; }

void meta_work_time_operations(struct meta_work *w, double *seconds)
{
    struct meta_program *p = w->program[0];
    meta_program_time(p, seconds);
    meta_program_forward(p, w->phi, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, w->phi, w->out[0]);
    if (w->spec.kind == META_WORK_PRODUCT) meta_program_hessian_product(p, w->phi, w->v, w->out[0]);
    meta_program_time(p, NULL);
}

void meta_work_time_weights(struct meta_work *w, double *seconds)
{
    struct meta_program *p = w->program[0];
    const void *theta = meta_program_theta(p, w->phi);
    void *out = meta_program_untied(p, w->out[0]);
    for (int i = 0; i < meta_program_operations(p); i++) {
        const struct meta_op *op = meta_program_operation(p, i);
        struct meta_op alone = *op;
        struct meta_planes x = *op->x;
        seconds[i] = 0;
        if (op->kind != META_OP_CONV || !x.bar) continue;
        x.bar = NULL;
        alone.x = &x;
        double begun = meta_thread_time();
        op->kernel->backward(&alone, theta, out);
        seconds[i] = meta_thread_time() - begun;
    }
}

/* Tasks or programs of one run. */
static double runs_tasks(const struct meta_work *w)
{
    return w->spec.kind == META_WORK_ITERATION ? w->model.episode->tasks : w->threads;
}

double meta_work_images(const struct meta_work *w)
{
    return runs_tasks(w) * (w->spec.kind >= META_WORK_TASK ? w->support + w->query : w->spec.batch);
}

double meta_work_flops(const struct meta_work *w)
{
    const struct meta_flops *f = &w->plan->flops;
    struct meta_inner inner = meta_inner_of(&w->inner, w->support, w->query);
    switch (w->spec.kind) {
    case META_WORK_FORWARD: return meta_work_images(w) * f->pass[META_PASS_FORWARD];
    case META_WORK_GRADIENT: return meta_work_images(w) * meta_flops_gradient(f);
    case META_WORK_PRODUCT: return meta_work_images(w) * meta_flops_product(f);
    default: return runs_tasks(w) * meta_flops_task(f, &inner);
    }
}

size_t meta_work_bytes(const struct meta_work *w)
{
    size_t bytes = w->outer ? meta_outer_worker_bytes(w->outer) : 0;
    for (int i = 0; i < w->threads; i++) {
        if (w->worker) bytes += meta_worker_bytes(w->worker[i]);
        if (w->program) bytes += meta_program_bytes(w->program[i]);
    }
    return bytes;
}

int meta_memory_serve(void *question, double *numbers, struct meta_error *error)
{
    const struct meta_memory_question *q = question;
    struct meta_pool *pool = NULL;
    struct meta_work *work = NULL;
    struct rusage usage;
    double processor;
    int status = -1;
    if (meta_pool_create(&pool, q->threads, error)
        || meta_work_create(&work, q->plan, q->spec, pool, error)
        || meta_work_run(work, &processor, error))
        goto fail;
    getrusage(RUSAGE_SELF, &usage);
    numbers[0] = usage.ru_maxrss * 1024.;
    numbers[1] = meta_work_bytes(work);
    status = 0;
fail:
    meta_work_free(work);
    meta_pool_free(pool);
    return status;
}
