/* A network with its numbers, and networks made of another: a smaller head, normalisation folded into weights. Host memory; once made
   it is only read, by any number of threads. */
#ifndef META_FILLED_H
#define META_FILLED_H

#include "network.h"

struct meta_filled {
    struct meta_network *network;
    float *parameters, *statistics;        /* (network->parameters), (network->statistics) */
};

void meta_filled_clear(struct meta_filled *);      /* a zeroed one, too */

/* ---- made layer by layer; a zeroed one that meta_network_create has filled in is empty --------------------------------- */

/* Appends a layer, its numbers 0. Takes over layer.from and layer.settings, also on failure. */
int meta_filled_add(struct meta_filled *, struct meta_layer layer, struct meta_error *);
/* Appends what layer i of `from` is, its numbers too; with other `filters` than there (0: the same), the first of them. place[k] is where
   layer k < i of `from` is found here. */
int meta_filled_copy_layer(struct meta_filled *, const struct meta_filled *from, int i, int filters, const int *place, struct meta_error *);
/* Turns the normalisation of the last layer, just added, into factors of its weights and into its biases: the same outputs, up to
   rounding, wherever rolling statistics are used. Nothing without batch_normalize. */
int meta_filled_fold_last(struct meta_filled *, struct meta_error *);

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

/* A copy for the first `classes` of its outputs: an error when it has fewer, and when it has more but their layer is neither connected nor
   convolutional or what stands between it and the softmax mixes its channels. */
int meta_filled_narrow(struct meta_filled *, const struct meta_filled *from, int classes, struct meta_error *);

#endif
