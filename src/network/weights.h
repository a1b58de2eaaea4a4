/* Darknet's .weights files: int32 major 0, minor 2, revision 0, `seen` in 8 bytes, then
   little-endian float32 layer by layer: convolutional: biases, [scales, rolling mean, rolling
   variance], weights; connected: biases, weights, [scales, mean, variance].

   While the rolling statistics are young, `revision`, which no Darknet looks at, is 0x4d4c0000 plus
   the number of batches that have moved them (rolling.h). */
#ifndef META_WEIGHTS_H
#define META_WEIGHTS_H

#include <stdint.h>
#include "network.h"
#include "rolling.h"

/* What a file says beside its numbers. */
struct meta_weights_head {
    uint64_t seen;    /* images */
    uint32_t updates; /* batches that have moved the rolling statistics, up to META_ROLLING_SETTLED;
                         of a file that does not say: 0 where they are all 0, else
                         META_ROLLING_SETTLED, so that they are taken as they are */
};

/* Reads into parameters (network->parameters) and statistics (network->statistics), the caller's. A
   file that is shorter or longer than the network's, or of another version, is an error that says
   both sizes; a number that is not finite is an error too. Version 0.1, with 4 bytes of `seen`, is
   read as Darknet reads it. */
int meta_weights_read(const struct meta_network *, const char *path, float *parameters,
                      float *statistics, struct meta_weights_head *, struct meta_error *);
/* Reads into arrays that it allocates, to normalise images by the statistics, which are corrected
   where they are young. The caller frees them, also after a failure, when they may be NULL. */
int meta_weights_load(const struct meta_network *, const char *path, float **parameters,
                      float **statistics, struct meta_error *);
/* Writes the file whole or not at all (base/file.h). */
int meta_weights_write(const struct meta_network *, const char *path, const float *parameters,
                       const float *statistics, struct meta_weights_head, struct meta_error *);

#endif
