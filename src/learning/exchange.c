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
    struct meta_part own;   /* this rank's tasks */
    struct meta_part slice; /* this rank's parameters */
    size_t count;           /* how many these are */
    char *slices;           /* (tasks, count) as saved: of all tasks, this rank's slice */
    char *whole;            /* (parameters) as saved: the mean */
    void *sum, *term;       /* (count) backend vectors */
    struct meta_parcel *send, *receive; /* (size) */
    char *outgoing; /* (own tasks, parameters) as saved, in the order of slices, then of tasks */
};

static size_t size_of(struct meta_part p) { return p.end - p.begin; }

/* The parameters that a rank adds up. */
static struct meta_part slice_of(const struct meta_exchange *x, int rank)
{
    return meta_part(x->parameters, rank, x->transport->size);
}

/* Sets where the slices of other ranks are taken from, and where this rank's are put. */
static void lay_out(struct meta_exchange *x)
{
    size_t element = x->backend->element, own = size_of(x->own);
    for (int k = 0; k < x->transport->size; k++) {
        struct meta_part slice = slice_of(x, k),
                         tasks = meta_part((size_t)x->tasks, k, x->transport->size);
        x->send[k] = (struct meta_parcel){ x->outgoing + own * slice.begin * element,
                                           own * size_of(slice) * element };
        x->receive[k] = (struct meta_parcel){ x->slices + tasks.begin * x->count * element,
                                              size_of(tasks) * x->count * element };
    }
}

int meta_exchange_create(struct meta_exchange **out, const struct meta_backend *backend,
                         struct meta_transport *transport, size_t parameters, int tasks,
                         struct meta_error *error)
{
    if (transport->size > tasks)
        return meta_fail(error,
                         "%d ranks for %d tasks an iteration: must be at most as many; allowed: "
                         "fewer ranks, or more tasks= in [episode] (subdivisions= in [net] where "
                         "meta pretrain runs)",
                         transport->size, tasks);
    struct meta_exchange *x = calloc(1, sizeof *x);
    if (!x) return meta_fail_memory(error);
    *x = (struct meta_exchange){
        .backend = backend, .transport = transport, .parameters = parameters, .tasks = tasks
    };
    x->own = meta_part_own(transport, (size_t)tasks);
    x->slice = meta_part_own(transport, parameters);
    x->count = size_of(x->slice);
    size_t own = size_of(x->own), element = backend->element;
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

/* Puts the slices of a task's gradient where they are sent from. */
static void pack(struct meta_exchange *x, size_t own, const void *gradient)
{
    size_t element = x->backend->element, tasks = size_of(x->own);
    meta_vector_save(x->backend, gradient, x->parameters, x->whole);
    for (int k = 0; k < x->transport->size; k++) {
        struct meta_part slice = slice_of(x, k);
        size_t bytes = size_of(slice) * element;
        memcpy(x->outgoing + tasks * slice.begin * element + own * bytes,
               x->whole + slice.begin * element, bytes);
    }
}

int meta_exchange_mean(struct meta_exchange *x, void *const *gradient, double scale, void *mean,
                       struct meta_error *error)
{
    const struct meta_backend *b = x->backend;
    size_t bytes = x->count * b->element;
    for (size_t i = x->own.begin; i < x->own.end; i++) pack(x, i - x->own.begin, gradient[i]);
    if (meta_transport_exchange(x->transport, x->send, x->receive, error)) return -1;
    meta_vector_load(b, x->sum, x->count, x->slices);
    for (int i = 1; i < x->tasks; i++) {
        meta_vector_load(b, x->term, x->count, x->slices + (size_t)i * bytes);
        b->axpy(x->sum, x->count, 1, x->term);
    }
    b->scale(x->sum, x->count, scale);
    meta_vector_save(b, x->sum, x->count, x->whole + x->slice.begin * b->element);
    if (meta_transport_gather(x->transport, x->whole, x->parameters, b->element, error)) return -1;
    meta_vector_load(b, mean, x->parameters, x->whole);
    return 0;
}
