/* Measures an iteration on the ranks of a transport, and the transport itself. */
#include "ranks_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench.h"
#include "learning/exchange.h"

#define LEAST_RUNS 5
#define SMALL 1         /* bytes of a small message */
#define LARGE (1 << 18) /* bytes of a large message, and of a larger one */
#define LARGER (1 << 20)
#define IN_A_ROW 64 /* small messages whose gap is measured */

struct session {
    struct meta_ranks_bench *bench;
    const struct meta_bench_plan *plan;
    struct meta_transport *transport, *alone;
    struct meta_pool *pool;
    struct meta_work *task, *iteration;
    struct meta_exchange *exchange;     /* of one rank: what it costs without messages */
    void **gradient, *mean;             /* (tasks) the same backend vector; another */
    struct meta_parcel *send, *receive; /* (size), all empty between exchanges */
    char *out, *in;                     /* (LARGER) */
    size_t message;                     /* bytes */
    double *seconds[4]; /* (META_MOST_ROUNDS) of each run: computing, waiting, exchange, whole; what
                           is no iteration has its time in the first */
};

enum { COMPUTING, WAITING, EXCHANGE, WHOLE };

/* ---- runs ------------------------------------------------------------------------------------ */

/* Does something once, and sets its seconds in run i. */
typedef int run_function(struct session *, int i, struct meta_error *);

/* How often each rank is to run something that has taken so long: the first decides for all. */
static int runs_of(const struct session *s, double elapsed, int *runs, struct meta_error *error)
{
    double wanted = s->plan->seconds / elapsed;
    *runs = wanted < LEAST_RUNS     ? LEAST_RUNS
        : wanted < META_MOST_ROUNDS ? (int)wanted
                                    : META_MOST_ROUNDS;
    return meta_transport_broadcast(s->transport, runs, sizeof *runs, error);
}

/* Runs it on all ranks at once, for about the plan's seconds. */
static int repeat(struct session *s, run_function *run, int *runs, struct meta_error *error)
{
    int warm = run(s, 0, error);
    if (meta_transport_share_status(s->transport, warm, error)) return -1;
    double begun = meta_now();
    int status = run(s, 0, error);
    double elapsed = meta_now() - begun;
    if (meta_transport_share_status(s->transport, status, error) || runs_of(s, elapsed, runs, error)
        || meta_transport_barrier(s->transport, error))
        return -1;
    for (int i = 0; i < *runs && !status; i++) status = run(s, i, error);
    return meta_transport_share_status(s->transport, status, error);
}

/* The median of the runs on this rank. */
static double median(const struct session *s, int what, int runs)
{
    return meta_spread(s->seconds[what], runs).median;
}

/* The greatest of all ranks' numbers. */
static int greatest(const struct session *s, double *x, struct meta_error *error)
{
    int size = s->transport->size;
    double *all = calloc((size_t)size, sizeof *all);
    if (!all) return meta_fail_memory(error);
    all[s->transport->rank] = *x;
    int status = meta_transport_gather(s->transport, all, (size_t)size, sizeof *all, error);
    for (int k = 0; k < size; k++) *x = fmax(*x, all[k]);
    free(all);
    return status;
}

/* Repeats it, and sets *x to the median of the rank that is slowest at it. */
static int measure(struct session *s, run_function *run, double *x, struct meta_error *error)
{
    int runs;
    if (repeat(s, run, &runs, error)) return -1;
    *x = median(s, COMPUTING, runs);
    return greatest(s, x, error);
}

/* ---- what is run ----------------------------------------------------------------------------- */

static int run_task(struct session *s, int i, struct meta_error *error)
{
    double processor, begun = meta_now();
    int status = meta_work_run(s->task, &processor, error);
    s->seconds[COMPUTING][i] = meta_now() - begun;
    return status;
}

static int run_iteration(struct session *s, int i, struct meta_error *error)
{
    struct meta_outer_result r;
    double update, begun = meta_now();
    if (meta_work_step(s->iteration, &r, &update, error)) return -1;
    s->seconds[COMPUTING][i] = r.computing + update;
    s->seconds[WAITING][i] = r.waiting;
    s->seconds[EXCHANGE][i] = r.exchange;
    s->seconds[WHOLE][i] = meta_now() - begun;
    return 0;
}

static int run_update(struct session *s, int i, struct meta_error *error)
{
    struct meta_outer_result r;
    return meta_work_step(s->iteration, &r, &s->seconds[COMPUTING][i], error);
}

/* The sum of gradients as a process alone does it, messages from hand to hand. */
static int run_handling(struct session *s, int i, struct meta_error *error)
{
    double begun = meta_now();
    int status = meta_exchange_mean(s->exchange, s->gradient, 1, s->mean, error);
    s->seconds[COMPUTING][i] = meta_now() - begun;
    return status;
}

/* Each rank sends a message to the next, and receives one from the rank before it. */
static int run_ring(struct session *s, int i, struct meta_error *error)
{
    struct meta_transport *t = s->transport;
    int next = (t->rank + 1) % t->size, before = (t->rank + t->size - 1) % t->size;
    s->send[next] = (struct meta_parcel){ s->out, s->message };
    s->receive[before] = (struct meta_parcel){ s->in, s->message };
    double begun = meta_now();
    int status = t->exchange(t, s->send, s->receive, error);
    s->seconds[COMPUTING][i] = meta_now() - begun;
    s->send[next] = s->receive[before] = (struct meta_parcel){ 0 };
    return status;
}

/* Small messages from the first rank to the second, one behind the other; then one back. */
static int run_row(struct session *s, int i, struct meta_error *error)
{
    struct meta_transport *t = s->transport;
    const struct meta_parcel message = { s->out, SMALL }, none = { 0 };
    int status = 0, other = 1 - t->rank;
    double begun = meta_now();
    for (int k = 0; k <= IN_A_ROW && t->rank < 2 && !status; k++) {
        int sends = t->rank == (k == IN_A_ROW);
        s->send[other] = sends ? message : none;
        s->receive[other] = sends ? none : (struct meta_parcel){ s->in, SMALL };
        status = t->exchange(t, s->send, s->receive, error);
        s->send[other] = s->receive[other] = none;
    }
    s->seconds[COMPUTING][i] = meta_now() - begun;
    return status;
}

/* ---- what is measured ------------------------------------------------------------------------ */

static int measure_ring(struct session *s, size_t message, double *x, struct meta_error *error)
{
    s->message = message;
    return measure(s, run_ring, x, error);
}

static int measure_transport(struct session *s, struct meta_error *error)
{
    struct meta_ranks_costs *c = &s->bench->costs;
    double large, larger, row;
    c->bandwidth = INFINITY;
    if (s->transport->size == 1) return 0;
    if (measure_ring(s, SMALL, &c->latency, error) || measure_ring(s, LARGE, &large, error)
        || measure_ring(s, LARGER, &larger, error) || measure(s, run_row, &row, error))
        return -1;
    /* where the machine is so busy that more bytes took no longer, all of the time is theirs */
    c->bandwidth = larger > large ? (LARGER - LARGE) / (larger - large) : LARGER / larger;
    c->start = fmax(large - LARGE / c->bandwidth, c->latency);
    c->gap = fmax(row - 2 * c->latency, 0) / IN_A_ROW;
    return 0;
}

static int measure_computing(struct session *s, struct meta_error *error)
{
    struct meta_ranks_costs *c = &s->bench->costs;
    const struct meta_ranks_load *l = &s->bench->load;
    if (measure(s, run_task, &c->task, error) || measure(s, run_update, &c->step, error)
        || measure(s, run_handling, &c->handling, error))
        return -1;
    c->handling /= 2 * l->tasks * l->gradient; /* laid out once, added up once */
    return 0;
}

static int measure_iteration(struct session *s, struct meta_error *error)
{
    struct meta_ranks_bench *b = s->bench;
    size_t size = (size_t)s->transport->size;
    if (repeat(s, run_iteration, &b->iterations, error)) return -1;
    if (!(b->row = calloc(size, sizeof *b->row))) return meta_fail_memory(error);
    struct meta_ranks_row *own = &b->row[s->transport->rank];
    own->computing = meta_spread(s->seconds[COMPUTING], b->iterations);
    own->waiting = meta_spread(s->seconds[WAITING], b->iterations);
    own->exchange = meta_spread(s->seconds[EXCHANGE], b->iterations);
    own->whole = meta_spread(s->seconds[WHOLE], b->iterations);
    return meta_transport_gather(s->transport, b->row, size, sizeof *b->row, error);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void free_session(struct session *s)
{
    const struct meta_backend *b = s->plan->backend;
    if (s->gradient && s->gradient[0]) b->release(s->gradient[0]);
    if (s->mean) b->release(s->mean);
    meta_exchange_free(s->exchange);
    meta_work_free(s->task);
    meta_work_free(s->iteration);
    meta_pool_free(s->pool);
    meta_transport_close(s->alone, NULL);
    for (int i = 0; i < 4; i++) free(s->seconds[i]);
    free(s->gradient);
    free(s->send);
    free(s->receive);
    free(s->out);
    free(s->in);
}

static int make_vectors(struct session *s, size_t numbers, struct meta_error *error)
{
    const struct meta_backend *b = s->plan->backend;
    int tasks = s->bench->load.tasks;
    size_t size = (size_t)s->transport->size;
    double *x = malloc(numbers * sizeof *x);
    s->gradient = calloc((size_t)tasks, sizeof *s->gradient);
    s->mean = b->allocate(numbers * b->element);
    s->send = calloc(size, sizeof *s->send);
    s->receive = calloc(size, sizeof *s->receive);
    s->out = calloc(1, LARGER);
    s->in = calloc(1, LARGER);
    for (int i = 0; i < 4; i++) s->seconds[i] = calloc(META_MOST_ROUNDS, sizeof **s->seconds);
    int full = x && s->gradient && (s->gradient[0] = b->allocate(numbers * b->element)) && s->mean
        && s->send && s->receive && s->out && s->in && s->seconds[0] && s->seconds[1]
        && s->seconds[2] && s->seconds[3];
    if (full) {
        meta_check_normal(&s->plan->data, META_CHECK_NETWORK, 0, x, numbers);
        b->upload_double(s->gradient[0], x, numbers);
        for (int i = 1; i < tasks; i++) s->gradient[i] = s->gradient[0];
    }
    free(x);
    return full ? 0 : meta_fail_memory(error);
}

static int open_session(struct session *s, struct meta_error *error)
{
    struct meta_ranks_bench *b = s->bench;
    const struct meta_bench_plan *plan = s->plan;
    const struct meta_model *m = plan->model;
    int images = meta_bench_task_images(m), keep = m->inner->keep;
    const struct meta_work_spec task = { "task", META_WORK_TASK, images, b->order, keep },
                                iteration = { "meta-iteration", META_WORK_ITERATION, images,
                                              b->order, keep };
    if (meta_pool_create(&s->pool, plan->threads, error)
        || meta_work_create(&s->iteration, plan, iteration, s->pool, error)
        || meta_work_create(&s->task, plan, task, s->pool, error))
        return -1;
    const struct meta_outer *outer = meta_work_outer(s->iteration);
    size_t numbers = meta_outer_numbers(outer);
    b->load = (struct meta_ranks_load){ .tasks = m->episode->tasks,
                                        .threads = plan->threads,
                                        .gradient = (double)(numbers * plan->backend->element),
                                        .result = (double)meta_outer_record(outer) };
    if (meta_transport_alone(&s->alone, error)
        || meta_exchange_create(&s->exchange, plan->backend, s->alone, numbers, b->load.tasks,
                                error))
        return -1;
    return make_vectors(s, numbers, error);
}

/* What it would be on another transport: MPI asks, is answered, and sends what is large. */
static void replace_transport(struct meta_ranks_bench *b)
{
    if (b->latency > 0) {
        b->costs.latency = b->latency;
        b->costs.start = 3 * b->latency;
    }
    if (b->bandwidth > 0) b->costs.bandwidth = b->bandwidth;
}

int meta_ranks_bench_run(struct meta_ranks_bench *bench, struct meta_error *error)
{
    struct session s = { .bench = bench, .plan = bench->plan, .transport = bench->plan->transport };
    bench->order = bench->plan->model->inner->order;
    int status = open_session(&s, error);
    if (!meta_transport_share_status(s.transport, status, error))
        status = measure_transport(&s, error) || measure_computing(&s, error)
                || measure_iteration(&s, error)
            ? -1
            : 0;
    else status = -1;
    free_session(&s);
    replace_transport(bench);
    return status;
}

void meta_ranks_bench_clear(struct meta_ranks_bench *b) { free(b->row); }

int meta_ranks_predictions(const struct meta_ranks_bench *b,
                           struct meta_ranks_prediction list[META_RANKS_PREDICTIONS])
{
    static const int usual[] = { 1, 2, 4, 8, 64, 512 };
    enum { USUAL = sizeof usual / sizeof *usual };
    int here = b->plan->transport->size, count = 0, told = 0;
    double one = meta_ranks_predict(&b->costs, &b->load, 1).whole / b->load.tasks;
    for (int i = 0; i < USUAL; i++) {
        if (usual[i] > here && !told) {
            list[count++].ranks = here;
            told = 1;
        }
        told |= usual[i] == here;
        list[count++].ranks = usual[i];
    }
    if (!told) list[count++].ranks = here;
    if (here == 1 && !(b->latency > 0 && b->bandwidth > 0)) count = 1;
    for (int i = 0; i < count; i++) {
        struct meta_ranks_load load = b->load;
        int ranks = list[i].ranks;
        if (load.tasks < ranks) load.tasks = ranks;
        struct meta_ranks_times t = meta_ranks_predict(&b->costs, &load, ranks);
        list[i] = (struct meta_ranks_prediction){ ranks, load.tasks, t,
                                                  one * load.tasks / t.whole };
    }
    return count;
}
