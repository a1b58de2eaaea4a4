/* The output shape of a layer. */
#ifndef META_SHAPE_H
#define META_SHAPE_H

#include "network.h"

/* [dropout] stands among so many first layers: a mask's stream has no more room for the layer's
   number (engine/program.c). */
#define META_MOST_DROPOUT 1024
/* The most numbers that a tensor of one image may have: a larger one is taken for a typing
   error. */
#define META_MOST_NUMBERS ((size_t)1 << 28)
/* Beyond so many layers it takes minutes to plan a program's memory. */
#define META_MOST_LAYERS 10000

/* Sets layer->out of a layer whose other members are set, `in` among them, and that is to follow
   the last one of the network. The error says what does not fit. */
int meta_shape_infer(const struct meta_network *, struct meta_layer *, struct meta_error *);

#endif
