/* darknet meta bench -sweep: prints how long convolutions of each number of channels and size
   take. */
#include "bench_sweep.h"
#include "backends/backends.h"
#include "backends/fused/fused_kernels.h"
#include "base/plural.h"
#include "flags.h"
#include "own_output.h"
#include "tools/bench/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CHANNELS 4096
#define MOST_SIZE 31

static const char *const family_names[META_SWEEP_FAMILIES] = {
    [META_SWEEP_BOTH] = "C to C",
    [META_SWEEP_IN] = "C to 32",
    [META_SWEEP_OUT] = "32 to C",
    [META_SWEEP_GRAY] = "first layer, 1 to C",
    [META_SWEEP_COLOUR] = "first layer, 3 to C",
};

static void print_plan(const struct meta_sweep_plan *p)
{
    printf("Convolutions of %d to %d channels, %dx%d to %dx%d, stride 1, padding size/2, maps of "
           "%dx%d; %s, %s, one thread.\n"
           "In each cell: microseconds of processor time of an image, forward, backward and both "
           "tangents; times the time of the next multiple\n"
           "of 16 channels; how many times as fast as stock libdarknet, forward and backward.\n",
           p->least_channels, p->most_channels, p->least_size, p->least_size, p->most_size,
           p->most_size, META_SWEEP_SIDE, META_SWEEP_SIDE, p->backend->name,
           p->backend->instructions());
    fflush(stdout);
}

static void print_cell(const struct meta_sweep_row *r)
{
    printf("  %8.1f %5.2f %5.1f%c", 1e6 * (r->gradient + r->product), r->ratio,
           r->stock / r->gradient, r->slow ? '!' : ' ');
}

static void print_family(const struct meta_sweep *s, enum meta_sweep_family family)
{
    const struct meta_sweep_plan *p = s->plan;
    printf("\n%-20s", family_names[family]);
    for (int size = p->least_size; size <= p->most_size; size++) printf("  %15dx%-4d", size, size);
    printf("\n");
    for (int c = p->least_channels; c <= p->most_channels; c++) {
        printf("%20d", c);
        for (int size = p->least_size; size <= p->most_size; size++)
            print_cell(meta_sweep_find(s, (struct meta_sweep_shape){ family, c, size }));
        printf("\n");
    }
    fflush(stdout);
}

static void print_shape(const struct meta_sweep_row *r)
{
    printf("%d to %d, %dx%d%s", meta_sweep_in(r->shape), meta_sweep_out(r->shape), r->shape.size,
           r->shape.size, meta_sweep_is_first(r->shape) ? ", a first layer" : "");
}

static void print_worst(const struct meta_sweep *s)
{
    const struct meta_sweep_row *of_16 = meta_sweep_worst(s),
                                *of_stock = meta_sweep_worst_of_stock(s), *slow = NULL;
    int left = 0;
    printf("\nslowest against the next multiple of 16 channels: ");
    print_shape(of_16);
    printf(": %.2f times its time\nslowest against stock libdarknet: ", of_16->ratio);
    print_shape(of_stock);
    printf(": %.1f times as fast\n", of_stock->stock / of_stock->gradient);
    for (int i = 0; i < s->rows; i++)
        if (s->row[i].slow && !left++) slow = &s->row[i];
    if (!left) return;
    printf("Warning: %d convolution%s (marked !) left to a reference implementation, %s: the first "
           "is ",
           left, left == 1 ? " is" : "s are", slow->slow);
    print_shape(slow);
    printf("\n");
}

/* Reads "8" or "1-40"; ends the program with a message if it is neither, or out of 1..most. */
static void read_range(const char *flag, const char *text, int most, int *first, int *last)
{
    char copy[24];
    if (!text) return;
    snprintf(copy, sizeof copy, "%s", text);
    char *dash = strchr(copy, '-');
    if (dash && dash != copy) *dash++ = 0;
    else dash = NULL;
    *first = meta_flag_int(flag, copy, 1, 1, most);
    *last = dash ? meta_flag_int(flag, dash, 1, *first, most) : *first;
}

int meta_bench_sweep(const struct meta_bench_sweep *words)
{
    struct meta_error error;
    const struct meta_backend *backend = meta_flag_kernels(meta_backend_default(), words->kernels);
    struct meta_sweep_plan plan = { backend, 1, 40, 1, 7, 0 };
    struct meta_sweep sweep = { .plan = &plan, .timed = print_family };
    read_range("-channels", words->channels, MOST_CHANNELS, &plan.least_channels,
               &plan.most_channels);
    read_range("-sizes", words->sizes, MOST_SIZE, &plan.least_size, &plan.most_size);
    plan.seconds = meta_flag_real("-seconds", words->seconds, .02, 1e-6, 1e5);
    int status = meta_flag_out(words->out, NULL, 0, &error)
        || meta_own_json("-out", words->out, "meta bench", &error);
    if (!status) {
        print_plan(&plan);
        status = meta_sweep_run(&sweep, &error);
    }
    if (!status) print_worst(&sweep);
    if (!status && words->out) status = meta_sweep_write(&sweep, words->out, &error);
    meta_sweep_clear(&sweep);
    return status ? meta_complain(&error) : 0;
}
