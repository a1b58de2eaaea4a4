/* The table of `darknet meta bench` that holds convolutions against their bounds. */
#ifndef META_COMMAND_BENCH_BOUNDS_H
#define META_COMMAND_BENCH_BOUNDS_H

#include "tools/bench/bench.h"

/* Prints it; nothing where the network has no 3x3 convolution with stride 1. */
void meta_print_bounds(const struct meta_bench *);

#endif
