/* Darknet's .weights files: int32 major 0, minor 2, revision 0, `seen` in 8 bytes, then
   little-endian float32 layer by layer: convolutional: biases, [scales, rolling mean, rolling
   variance], weights; connected: biases, weights, [scales, mean, variance]; a plugin's layer: its
   arrays, which other programs know nothing of. Read are also version 0.1, with 4 bytes of `seen`,
   and what there was before versions, as Darknet reads it: learning rate, momentum and decay as
   float32 in their place, 4 bytes of `seen`, and the weights of connected layers input by input.

   While the rolling statistics are young, `revision`, which no Darknet looks at, is 0x4d4c0000 plus
   the number of batches that have moved them (rolling.h).

   A gradient, which `meta grad` writes in the same form, has 0x4d470000 there, and is not read as
   weights.

   Of a network with rotations=4 a file has the numbers of the ordinary network with the same layers
   (tie.h), so that other programs read it; one whose filters are not turns of one another is
   refused. */
#ifndef META_WEIGHTS_H
#define META_WEIGHTS_H

#include <stdint.h>
#include "base/file.h"
#include "filled.h"
#include "rolling.h"

/* What a file says beside its numbers. */
struct meta_weights_head {
    uint64_t seen;    /* images */
    uint32_t updates; /* batches that have moved the rolling statistics, up to META_ROLLING_SETTLED;
                         of a file that does not say: 0 where they are all 0, else
                         META_ROLLING_SETTLED, so that they are taken as they are */
    int gradient;     /* 1: the numbers are derivatives; not read */
    int layers;       /* of the network, the first ones, that a file has; not written */
};

/* Whether a file is there and has a gradient. */
int meta_weights_gradient(const char *path);
/* Copies the numbers of one layer, in a file's order, to their places in parameters and statistics,
   unless `numbers` is NULL. Returns how many they are. */
size_t meta_weights_layer(const struct meta_network *, int layer, const float *numbers,
                          float *parameters, float *statistics);
/* The numbers behind a file's header. */
size_t meta_weights_numbers(const struct meta_network *);
/* Reads into parameters (network->parameters) and statistics (network->statistics), the caller's. A
   file that is shorter or longer than the network's, or of another version, is an error that says
   both sizes; a gradient is an error too, and a number that is not finite. A file that is refused
   changes nothing. */
int meta_weights_read(const struct meta_network *, const char *path, float *parameters,
                      float *statistics, struct meta_weights_head *, struct meta_error *);
/* As above, but the file may end behind any layer with weights, as `darknet partial` writes it, for
   a training to start from. The numbers of the layers that it does not have stay as they are. */
int meta_weights_read_first(const struct meta_network *, const char *path, float *parameters,
                            float *statistics, struct meta_weights_head *, struct meta_error *);
/* Which layers have the weights of a file with the first `layers` of them alone, for people: "the
   weights of 1 layer, up to layer 0, [convolutional]; those of 1 layer, from layer 3, [connected],
   on are drawn". */
#define META_WEIGHTS_TOLD 240
void meta_weights_tell(char text[META_WEIGHTS_TOLD], const struct meta_network *, int layers);
/* Reads into arrays that it allocates, to normalise images by the statistics, which are corrected
   where they are young. The caller frees them, also after a failure, when they may be NULL. */
int meta_weights_load(const struct meta_network *, const char *path, float **parameters,
                      float **statistics, struct meta_error *);
/* Writes the file whole or not at all (base/file.h): not at all when a number is not finite, which
   no reader takes. */
int meta_weights_write(const struct meta_network *, const char *path, const float *parameters,
                       const float *statistics, struct meta_weights_head, struct meta_error *);
/* The same up to the end: the caller ends the file, or drops it. */
int meta_weights_begin(struct meta_new_file **, const char *path, const struct meta_filled *,
                       struct meta_weights_head, struct meta_error *);

#endif
