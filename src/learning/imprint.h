/* The last layer made of the support set: what nearest means say, as weights that the inner steps
   can start from (Qi, Brown and Lowe, Low-Shot Learning with Imprinted Weights, CVPR 2018; with
   these weights Triantafillou et al., Meta-Dataset, ICLR 2020: Proto-MAML). */
#ifndef META_IMPRINT_H
#define META_IMPRINT_H

#include "inner_internal.h"

/* Returns phi with the last layer's numbers replaced: row k of the weights is 2 c_k, bias k is
   -|c_k|^2, c_k being the mean of what class k's support images give to the layer, by the
   statistics of the support set and without dropout. It is the worker's own until the next call. */
const void *meta_imprint(struct meta_worker *, const void *phi, const struct meta_task *);
/* Turns the derivative by what meta_imprint returned last into that by phi, exactly: the last
   layer's own part is 0, and the others get what its numbers owe to the support images. */
void meta_imprint_back(struct meta_worker *, const void *phi, const struct meta_task *,
                       void *gradient);

#endif
