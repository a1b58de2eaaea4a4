/* A classifier out of a network that pairs: what its pairing layer makes of a support set, as a
   [connected] layer. */
#ifndef META_ADAPT_PAIRING_H
#define META_ADAPT_PAIRING_H

#include "adapt.h"

/* Fills in a->filled and a->running, for a->backend and a base that meta_network_adapts: the layers
   before the pairing one, then a [connected] of s->classes outputs with the weights that it has for
   the support images' features. Those are normalised by their own batch for a->filled, and by the
   rolling statistics for a->running. On failure a is the caller's to free as it stands. */
int meta_adapt_pairing(struct meta_adapted *a, const struct meta_base *base,
                       const struct meta_support *s, struct meta_error *);

#endif
