/* Sums the gradients of tasks over ranks, by slices of the parameters and in the order of tasks. */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "optimiser.h"

struct meta_exchange {
    const struct meta_backend *backend;
    struct meta_transport *transport;
    size_t parameters;
    int tasks;
    int own_begin, own_end; /* this rank's tasks */
    size_t begin, count;    /* this rank's slice of the parameters */
    char *slices;           /* (tasks, count) as saved: of all tasks, this rank's slice */
    char *whole;            /* (parameters) as saved: the mean */
    void *sum, *term;       /* (count) backend vectors */
    struct meta_parcel *send, *receive; /* (size) */
    char *outgoing; /* (own tasks, parameters) as saved, in the order of slices, then of tasks */
};

static size_t slice_begin(const struct meta_exchange *x, int rank)
{
    return meta_part_begin(x->parameters, rank, x->transport->size);
}

static int task_begin(const struct meta_exchange *x, int rank)
{
    return (int)meta_part_begin((size_t)x->tasks, rank, x->transport->size);
}

/* Sets where the slices of other ranks are taken from, and where this rank's are put. */
static void lay_out(struct meta_exchange *x)
{
    size_t element = x->backend->element, own = (size_t)(x->own_end - x->own_begin);
    for (int k = 0; k < x->transport->size; k++) {
        size_t begin = slice_begin(x, k), count = slice_begin(x, k + 1) - begin;
        size_t first = (size_t)task_begin(x, k), tasks = (size_t)task_begin(x, k + 1) - first;
        x->send[k] = (struct meta_parcel){ x->outgoing + own * begin * element,
                                           own * count * element };
        x->receive[k] = (struct meta_parcel){ x->slices + first * x->count * element,
                                              tasks * x->count * element };
    }
}

int meta_exchange_create(struct meta_exchange **out, const struct meta_backend *backend,
                         struct meta_transport *transport, size_t parameters, int tasks,
                         struct meta_error *error)
{
    if (transport->size > tasks)
        return meta_fail(error,
                         "%d ranks for %d tasks an iteration: must be at most as many; allowed: "
                         "fewer ranks, or more tasks= in [episode]",
                         transport->size, tasks);
    struct meta_exchange *x = calloc(1, sizeof *x);
    if (!x) return meta_fail_memory(error);
    *x = (struct meta_exchange){
        .backend = backend, .transport = transport, .parameters = parameters, .tasks = tasks
    };
    x->own_begin = task_begin(x, transport->rank);
    x->own_end = task_begin(x, transport->rank + 1);
    x->begin = slice_begin(x, transport->rank);
    x->count = slice_begin(x, transport->rank + 1) - x->begin;
    size_t own = (size_t)(x->own_end - x->own_begin), element = backend->element;
    x->outgoing = malloc(own * parameters * element + 1);
    x->slices = malloc((size_t)tasks * x->count * element + 1);
    x->whole = malloc(parameters * element + 1);
    x->sum = backend->allocate((x->count + 1) * element);
    x->term = backend->allocate((x->count + 1) * element);
    x->send = calloc((size_t)transport->size, sizeof *x->send);
    x->receive = calloc((size_t)transport->size, sizeof *x->receive);
    if (!x->outgoing || !x->slices || !x->whole || !x->sum || !x->term || !x->send || !x->receive) {
        meta_exchange_free(x);
        return meta_fail_memory(error);
    }
    lay_out(x);
    *out = x;
    return 0;
}

void meta_exchange_free(struct meta_exchange *x)
{
    if (!x) return;
    if (x->sum) x->backend->release(x->sum);
    if (x->term) x->backend->release(x->term);
    free(x->outgoing);
    free(x->slices);
    free(x->whole);
    free(x->send);
    free(x->receive);
    free(x);
}

size_t meta_exchange_bytes(const struct meta_exchange *x)
{
    size_t others = (size_t)x->transport->size - 1, bytes = others * x->count * x->backend->element;
    for (int k = 0; k < x->transport->size; k++)
        if (k != x->transport->rank) bytes += x->send[k].size;
    return bytes;
}

/* Puts the slices of a task's gradient where they are sent from. */
static void pack(struct meta_exchange *x, int own, const void *gradient)
{
    size_t element = x->backend->element, tasks = (size_t)(x->own_end - x->own_begin);
    meta_vector_save(x->backend, gradient, x->parameters, x->whole);
    for (int k = 0; k < x->transport->size; k++) {
        size_t begin = slice_begin(x, k), bytes = (slice_begin(x, k + 1) - begin) * element;
        memcpy(x->outgoing + tasks * begin * element + (size_t)own * bytes,
               x->whole + begin * element, bytes);
    }
}

int meta_exchange_mean(struct meta_exchange *x, void *const *gradient, double scale, void *mean,
                       struct meta_error *error)
{
    const struct meta_backend *b = x->backend;
    size_t bytes = x->count * b->element;
    for (int i = x->own_begin; i < x->own_end; i++) pack(x, i - x->own_begin, gradient[i]);
    if (meta_transport_exchange(x->transport, x->send, x->receive, error)) return -1;
    meta_vector_load(b, x->sum, x->count, x->slices);
    for (int i = 1; i < x->tasks; i++) {
        meta_vector_load(b, x->term, x->count, x->slices + (size_t)i * bytes);
        b->axpy(x->sum, x->count, 1, x->term);
    }
    b->scale(x->sum, x->count, scale);
    meta_vector_save(b, x->sum, x->count, x->whole + x->begin * b->element);
    if (meta_transport_gather(x->transport, x->whole, x->parameters, b->element, error)) return -1;
    meta_vector_load(b, mean, x->parameters, x->whole);
    return 0;
}
