/* What can be said of a support set beside its loss: what it predicts of its own images, which are there twice, and which are unlike
   what the network was meta-trained on. */
#ifndef META_SUPPORT_CHECK_H
#define META_SUPPORT_CHECK_H

#include "adapt.h"
#include "base/pool.h"

/* Leave-one-out: each image's probabilities, (n, classes), by the network adapted to the others, without those of its group (groups: (n),
   -1: in none; NULL: none has one) and without one image of every other class that has two. Else the classes left would be uneven just where
   it matters: the absent image's class would always be the rarer, and of classes that nothing tells apart every answer would be wrong. told
   (n): 0 for an image without which a class would have none left; its row is not set. On the pool, one adaptation a thread. */
int meta_leave_one_out(const struct meta_base *, const struct meta_support *, const int *groups, int steps, enum meta_bn, struct meta_pool *,
                       float *probabilities, int *told, struct meta_error *);

/* The 95% interval of a share of which `right` of n were seen (Wilson, J. Am. Stat. Assoc. 22, 1927). */
void meta_share_interval(int right, int n, double *low, double *high);

/* twin[i]: the first file before i with the same bytes (CRC-32, then compared), or -1. */
int meta_find_twins(char *const *paths, int n, int *twin, struct meta_error *);

/* How far each image is from what the meta-training has seen, out (n): of the first normalised layer, the divergence between the normal
   distribution of a channel's values over the image and that of its rolling statistics, both ways, in nats, averaged over the channels. 0
   for a network that normalises nothing. The threshold META_UNLIKE is a first choice, not yet held against images of other kinds. */
#define META_UNLIKE 1.
int meta_unlikeness(const struct meta_base *, const float *images, int n, double *out, struct meta_error *);

#endif
