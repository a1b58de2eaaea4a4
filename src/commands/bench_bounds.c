/* Prints each 3x3 convolution of a benchmark beside its bounds, a line a convolution. */
#include "bench_bounds.h"

#include <stdio.h>

static double arithmetic(struct meta_winograd_bound b) { return b.product + b.transforms; }

/* Prints milliseconds, the share of the peak that direct arithmetic would be, and the share of the
   bound; spaces where there is no time. */
static void print_part(double seconds, double direct, double bound, double peak)
{
    if (seconds > 0)
        printf("  %8.3f %4.0f%% %3.0f%%", 1e3 * seconds, 100 * direct / seconds / peak,
               100 * bound / seconds / peak);
    else printf("  %8s %5s %4s", "-", "", "");
}

static void print_convolution(const struct meta_bench *b, const struct meta_bench_convolution *c)
{
    const struct meta_bench_layer *l = &b->layer[c->operation];
    int tile = meta_bench_bound_tile(c);
    double seconds = 0, direct = 0, bytes = 0;
    printf("%5d  %-38.38s  F(%dx%d)", l->layer, l->name, tile, tile);
    for (int part = 0; part < META_BOUND_PARTS; part++) {
        struct meta_winograd_bound bound = tile == 6 ? c->six[part] : c->four[part];
        print_part(c->seconds[part], c->flops[part], arithmetic(bound), b->layer_peak);
        if (!(c->seconds[part] > 0)) continue;
        seconds += c->seconds[part];
        direct += c->flops[part];
        bytes += c->bytes[part];
    }
    print_part(seconds, direct, meta_bench_bound(c), b->layer_peak);
    printf("  %6.1f\n", bytes / 1e6);
}

void meta_print_bounds(const struct meta_bench *b)
{
    static const char *const titles[META_BOUND_PARTS] = { "forward", "weights' grad.",
                                                          "data gradient", "fwd tangent",
                                                          "bwd tangent" };
    if (!b->convolutions) return;
    printf(
        "\nEach 3x3 convolution with stride 1 against its own bound: ms; share of the FMA peak by "
        "direct arithmetic; share of the bound. The bound is\nwhat Winograd's F(4x4) or F(6x6), "
        "whichever is less, takes of additions and multiplications at that peak: products of "
        "whole tiles, ragged edges\nincluded, and transforms, each tensor's once a step. MB: "
        "each tensor read or written once by each part. A first layer is timed with its pool.\n");
    printf("%5s  %-38s  %-6s", "layer", "", "bound");
    for (int part = 0; part < META_BOUND_PARTS; part++) printf("  %19s", titles[part]);
    printf("  %19s  %6s\n", "all", "MB");
    for (int i = 0; i < b->convolutions; i++) print_convolution(b, &b->convolution[i]);
}
