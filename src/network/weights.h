/* Darknet's .weights files: int32 major 0, minor 2, revision 0, `seen` in 8 bytes, then little-endian float32 layer by layer:
   convolutional: biases, [scales, rolling mean, rolling variance], weights; connected: biases, weights, [scales, mean, variance]. */
#ifndef META_WEIGHTS_H
#define META_WEIGHTS_H

#include <stdint.h>
#include "network.h"

/* parameters (network->parameters) and statistics (network->statistics) are the caller's. A file shorter or longer than the
   network, or with another version, is an error that says both sizes. Old headers (4-byte seen) are read as Darknet does. */
int meta_weights_read(const struct meta_network *, const char *path, float *parameters, float *statistics,
                      uint64_t *seen, struct meta_error *);
/* The same into arrays of its own, which the caller frees, also on failure: they may be NULL then. */
int meta_weights_load(const struct meta_network *, const char *path, float **parameters, float **statistics, struct meta_error *);
/* Whole or not at all: temporary file beside it, fsync, rename, fsync of the folder. */
int meta_weights_write(const struct meta_network *, const char *path, const float *parameters, const float *statistics,
                       uint64_t seen, struct meta_error *);

#endif
