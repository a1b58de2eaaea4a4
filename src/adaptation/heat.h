/* Where in an image a network saw a class: Grad-CAM (Selvaraju et al., ICCV 2017) of the last convolution's output. */
#ifndef META_HEAT_H
#define META_HEAT_H

#include "engine/backend.h"
#include "network/filled.h"

/* One thread at a time uses it; it needs nothing of the network after. */
struct meta_heat;
/* With the network's rolling statistics. Fails when there is no convolution. The caller frees. */
int  meta_heat_create(struct meta_heat **, const struct meta_filled *, const struct meta_backend *, struct meta_error *);
void meta_heat_free(struct meta_heat *);
void meta_heat_size(const struct meta_heat *, int *w, int *h);

/* map (h, w), 0 to 1: the positive part of sum_c alpha_c A_c over its largest value (all 0 where nothing speaks for the class), A the
   activated output of the last convolution, alpha_c the mean over its pixels of the derivative of the score of `class` less the mean of
   all scores: of scores only differences count. image: (c, h, w) planar in [0,1]. */
void meta_heat_map(struct meta_heat *, const float *image, int class, float *map);

#endif
