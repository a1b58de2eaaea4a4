/* Layers that turn with the image: rotations=4 ties the four quarter turns of a filter (Cohen and
   Welling, Group Equivariant Convolutional Networks, ICML 2016, for the group p4). */
#ifndef META_TURNS_H
#define META_TURNS_H

#include "network.h"

/* Sets layer->turns of a layer that is to follow the last one of the network and has its shapes.
   The error says what rotations=4 does not go with. */
int meta_turns_infer(const struct meta_network *, struct meta_layer *, struct meta_error *);

/* Of a layer with rotations=4, the place of an ordinary layer's weight `at` among its own. Both in
   the order of meta_layer.weight_count: an ordinary layer has filters*c*size*size weights,
   (o,c,y,x), where this one has those of every fourth filter; a connected one outputs*inputs,
   (o,c,y,x) of its input, where this one has those of every fourth channel. */
size_t meta_turns_source(const struct meta_layer *, size_t at);

/* The first layer that covers its input's left otherwise than its right, or top than bottom, such
   as a pool that leaves out a last odd row, or a shortcut that takes every second pixel of an even
   number: behind it a turned image has other maps than the turned ones. NULL: none does. */
const struct meta_layer *meta_turns_lopsided(const struct meta_network *);

#endif
