/* Where in an image a network saw a class: Grad-CAM (Selvaraju et al., ICCV 2017) of the output of
   the last convolution that gives a map, or of the last of all. */
#ifndef META_HEAT_H
#define META_HEAT_H

#include "engine/backend.h"
#include "network/filled.h"

/* Maps of one network; one thread at a time uses it. The network need not outlive it. */
struct meta_heat;
/* Takes the rolling statistics of `filled`. Fails when the network has no convolution. The caller
   frees. */
int meta_heat_create(struct meta_heat **, const struct meta_filled *filled,
                     const struct meta_backend *, struct meta_error *);
void meta_heat_free(struct meta_heat *);
void meta_heat_size(const struct meta_heat *, int *w, int *h);

/* map (h, w) in [0,1]: the positive part of sum_c alpha_c A_c over its largest value, or all 0
   where no value is positive. A is that convolution's activated output; alpha_c is the
   mean over the pixels of A_c of the derivative of the score of `class` less the mean of all
   scores, since only differences of scores count. image (c, h, w), planar in [0,1]. -1 with a
   message when a pass failed. */
int meta_heat_map(struct meta_heat *, const float *image, int class, float *map,
                  struct meta_error *);

#endif
