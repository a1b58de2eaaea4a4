/* How far images are from those that a network knows. */
#ifndef META_DISTANCE_H
#define META_DISTANCE_H

#include "engine/program.h"
#include "network/filled.h"

/* In the first normalised layer, the divergence between the normal distribution of a channel's
   values over one image and that of the rolling statistics, in nats, averaged over both directions
   and over the channels. Above META_DISTANT an image is called unlike: a first choice, which has
   not yet been held against images of other kinds. */
#define META_DISTANT 1.

struct meta_distance;
/* `filled` is borrowed, and only read; its statistics are those that images are held against. */
int meta_distance_create(struct meta_distance **, const struct meta_filled *,
                         const struct meta_backend *, struct meta_error *);
void meta_distance_free(struct meta_distance *);
/* Of one image (c, h, w); NaN with a message when the pass failed, or gave no number. 0 for a
   network that normalises nothing, or first a map of one pixel, or whose statistics no batch has
   moved. */
double meta_distance_of(struct meta_distance *, const float *image, struct meta_error *);

#endif
