/* A network with its numbers in host memory, and networks made of others: with a smaller head, or
   with normalisation folded into the weights. Once made, any number of threads may read one. */
#ifndef META_FILLED_H
#define META_FILLED_H

#include "network.h"

struct meta_filled {
    struct meta_network *network;
    float *parameters; /* (network->parameters) */
    float *statistics; /* (network->statistics) */
};

void meta_filled_clear(struct meta_filled *); /* may be a zeroed one */
/* Whether all of its numbers are finite. */
int meta_filled_finite(const struct meta_filled *);

/* ---- layer by layer, from a zeroed one with a network of meta_network_create ----------------- */

/* Appends a layer whose numbers are 0. Takes over layer.from and layer.settings, also on
   failure. */
int meta_filled_add(struct meta_filled *, struct meta_layer layer, struct meta_error *);
/* Appends a copy of layer i of `from` with its numbers; filters > 0 keeps only the first `filters`
   of its outputs. place[k] is the index here of layer k < i of `from`. */
int meta_filled_copy_layer(struct meta_filled *, const struct meta_filled *from, int i, int filters,
                           const int *place, struct meta_error *);
/* Folds the normalisation of the last layer, which must just have been added, into its weights and
   biases: with rolling statistics the outputs stay the same up to rounding. Does nothing without
   batch_normalize. The layer must be without rotations. */
int meta_filled_fold_last(struct meta_filled *, struct meta_error *);

/* ---- the whole ------------------------------------------------------------------------------- */

/* Makes a copy with the first `classes` outputs. It is an error when `from` has fewer outputs, and
   when it has more but the layer of the outputs is neither connected nor convolutional, or a layer
   between it and the softmax mixes its channels. The caller clears. */
int meta_filled_narrow(struct meta_filled *, const struct meta_filled *from, int classes,
                       struct meta_error *);

#endif
