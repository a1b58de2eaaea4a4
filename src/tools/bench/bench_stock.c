/* The same network in stock libdarknet, which is opened here. It runs in a process of its own,
   since the library has no way to return an error but to end. */
#include "bench.h"
#include "config/cfg.h"
#include "base/clock.h"
#include "host/host.h"
#include "stock_cfg.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The library and what the benchmark calls of it, and the network that it made. */
struct meta_stock {
    struct meta_library library;
    void (*forward_network)(network *);
    void (*backward_network)(network *);
    network *network;
};

struct text {
    const struct meta_cfg *cfg;
    int batch;
};

/* Writes the .cfg with another batch: of two options of one name the library takes the first. The
   host leaves out the sections that are no layers. */
static int write_cfg(FILE *out, const void *context)
{
    const struct text *text = context;
    for (int i = 0; i < text->cfg->count; i++) {
        const struct meta_section *s = &text->cfg->sections[i];
        fprintf(out, "[%s]\n", s->name);
        if (!i) fprintf(out, "batch=%d\nsubdivisions=1\n", text->batch);
        for (int k = 0; k < s->count; k++)
            fprintf(out, "%s=%s\n", s->pairs[k].key, s->pairs[k].value);
    }
    return 0;
}

static int parse(network **net, const struct meta_bench_plan *plan, struct meta_error *error)
{
    struct meta_cfg *cfg;
    if (meta_cfg_read(&cfg, plan->model->path, error)) return -1;
    int status = meta_stock_parse(net, write_cfg, &(struct text){ cfg, plan->batch }, error);
    meta_cfg_free(cfg);
    return status;
}

static int find_function(const struct meta_stock *stock, const char *name,
                         void (**function)(network *), struct meta_error *error)
{
    void *symbol = meta_library_symbol(&stock->library, name, error);
    if (!symbol) return -1;
    memcpy(function, &symbol, sizeof symbol);
    return 0;
}

static int open_library(struct meta_stock *stock, struct meta_error *error)
{
    if (meta_library_open(&stock->library, error)) return -1;
    if (find_function(stock, "forward_network", &stock->forward_network, error)) return -1;
    return find_function(stock, "backward_network", &stock->backward_network, error);
}

static int build(network **out, const struct meta_bench_plan *plan, struct meta_error *error)
{
    network *net = NULL;
    float *images = NULL;
    int *labels = NULL, status = -1;
    if (meta_check_images(&plan->data, 0, plan->batch, &images, &labels, error)
        || parse(&net, plan, error))
        goto fail;
    if (net->batch != plan->batch || net->truths != meta_network_outputs(plan->model->network)) {
        meta_fail(error, "it made a network of batch %d and %d outputs", net->batch, net->truths);
        goto fail;
    }
    memcpy(net->input, images, (size_t)net->batch * net->inputs * sizeof *images);
    for (int i = 0; i < net->batch; i++) net->truth[i * net->truths + labels[i]] = 1;
    net->train = 1;
    *out = net;
    status = 0;
fail:
    free(images);
    free(labels);
    return status;
}

static int start(struct meta_stock **out, const struct meta_bench_plan *plan,
                 struct meta_error *error)
{
    struct meta_stock *stock = calloc(1, sizeof *stock);
    if (!stock) return meta_fail_memory(error);
    if (open_library(stock, error) || build(&stock->network, plan, error)) {
        free(stock);
        return -1;
    }
    *out = stock;
    return 0;
}

int meta_stock_serve(void *question, double *numbers, struct meta_error *error)
{
    struct meta_stock_question *q = question;
    struct rusage usage;
    omp_set_num_threads(1);
    if (!q->stock && start(&q->stock, q->plan, error)) return -1;
    double begun = meta_now(), processor = meta_processor_time();
    q->stock->forward_network(q->stock->network);
    q->stock->backward_network(q->stock->network);
    numbers[0] = meta_now() - begun;
    numbers[1] = meta_processor_time() - processor;
    getrusage(RUSAGE_SELF, &usage);
    numbers[2] = usage.ru_maxrss * 1024.;
    return 0;
}
