/* The same network in stock libdarknet. Runs in a process of its own, since it has no way to return an error but to end. */
#define _GNU_SOURCE
#include "bench.h"
#include "config/cfg.h"
#include "base/clock.h"

#include <darknet.h>
#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The .cfg with another batch: of two options of one name the library takes the first. The host leaves out the sections that are no
   layers. */
static int write_cfg(FILE *out, const struct meta_cfg *cfg, int batch)
{
    for (int i = 0; i < cfg->count; i++) {
        const struct meta_section *s = &cfg->sections[i];
        fprintf(out, "[%s]\n", s->name);
        if (!i) fprintf(out, "batch=%d\nsubdivisions=1\n", batch);
        for (int k = 0; k < s->count; k++) fprintf(out, "%s=%s\n", s->pairs[k].key, s->pairs[k].value);
    }
    return fflush(out) || ferror(out) ? -1 : 0;
}

static int parse(network **net, const struct meta_bench_plan *plan, struct meta_error *error)
{
    struct meta_cfg *cfg;
    char path[40];
    FILE *out = NULL;
    int file = -1, status = -1;
    if (meta_cfg_read(&cfg, plan->model->path, error)) return -1;
    if ((file = memfd_create("stock.cfg", 0)) < 0 || !(out = fdopen(file, "w")) || write_cfg(out, cfg, plan->batch)) {
        meta_fail(error, "can't write the .cfg: %s", strerror(errno));
        goto fail;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    *net = parse_network_cfg(path);
    status = 0;
fail:
    if (out) fclose(out);
    else if (file >= 0) close(file);
    meta_cfg_free(cfg);
    return status;
}

static int build(network **out, const struct meta_bench_plan *plan, struct meta_error *error)
{
    network *net = NULL;
    float *images = NULL;
    int *labels = NULL, status = -1;
    if (meta_check_images(&plan->data, 0, plan->batch, &images, &labels, error) || parse(&net, plan, error)) goto fail;
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

int meta_stock_serve(void *question, double *numbers, struct meta_error *error)
{
    struct meta_stock_question *q = question;
    struct rusage usage;
    omp_set_num_threads(1);
    if (!q->network && build((network **)&q->network, q->plan, error)) return -1;
    double begun = meta_now(), processor = meta_processor_time();
    forward_network(q->network);
    backward_network(q->network);
    numbers[0] = meta_now() - begun;
    numbers[1] = meta_processor_time() - processor;
    getrusage(RUSAGE_SELF, &usage);
    numbers[2] = usage.ru_maxrss * 1024.;
    return 0;
}
