/* Darknet's .weights files: int32 major 0, minor 2, revision 0, `seen` in 8 bytes, then
   little-endian float32 layer by layer: convolutional: biases, [scales, rolling mean, rolling
   variance], weights; connected: biases, weights, [scales, mean, variance]. */
#ifndef META_WEIGHTS_H
#define META_WEIGHTS_H

#include <stdint.h>
#include "network.h"

/* Reads into parameters (network->parameters) and statistics (network->statistics), the caller's. A
   file that is shorter or longer than the network's, or of another version, is an error that says
   both sizes; a number that is not finite is an error too. Version 0.1, with 4 bytes of `seen`, is
   read as Darknet reads it. */
int meta_weights_read(const struct meta_network *, const char *path, float *parameters,
                      float *statistics, uint64_t *seen, struct meta_error *);
/* Reads into arrays that it allocates. The caller frees them, also after a failure, when they may
   be NULL. */
int meta_weights_load(const struct meta_network *, const char *path, float **parameters,
                      float **statistics, struct meta_error *);
/* Writes the file whole or not at all (base/file.h). */
int meta_weights_write(const struct meta_network *, const char *path, const float *parameters,
                       const float *statistics, uint64_t seen, struct meta_error *);

#endif
