/* Eq. 4: the update of the meta-parameters by [net]'s rule, Darknet's two.

   adam=1 (Darknet's adam_update; m, v start at 0, t counts from 1; decay acts on every parameter):
       g += decay*p;  m = B1*m + (1-B1)*g;  v = B2*v + (1-B2)*g*g
       p -= rate * (m/(1-B1^t)) / (sqrt(v/(1-B2^t)) + eps)
   adam=0 (update_convolutional_layer; decay acts on weights, not on biases and scales):
       u = momentum*u + g + decay*p;  p -= rate*u

   Either is one operation of the backend, on backend vectors. */
#ifndef META_OPTIMISER_H
#define META_OPTIMISER_H

#include "engine/backend.h"
#include "config/net_section.h"

struct meta_optimiser;

/* Copies what it needs of the network and the settings; the backend must outlive it. The caller
   frees. */
int meta_optimiser_create(struct meta_optimiser **, const struct meta_network *,
                          const struct meta_backend *, const struct meta_net_settings *,
                          struct meta_error *);
void meta_optimiser_free(struct meta_optimiser *);

/* Scales the gradient down to [net] clip, if that is set and its norm is larger, and updates the
   parameters; both are backend vectors (parameters). Returns the norm before clipping. When that is
   not finite, nothing is changed. */
double meta_optimiser_step(struct meta_optimiser *, void *parameters, void *gradient, double rate);

int meta_optimiser_finite(const struct meta_optimiser *); /* whether its moments are finite */
void meta_optimiser_reset(struct meta_optimiser *);       /* puts it back as it was created */

/* What the next step depends on besides the parameters and the gradient, bit for bit, for a
   checkpoint. */
size_t meta_optimiser_bytes(const struct meta_optimiser *);
void meta_optimiser_save(const struct meta_optimiser *, void *out);
void meta_optimiser_load(struct meta_optimiser *, const void *in);

/* Copies n numbers of a backend vector to host bytes and back, in the backend's own size: without
   loss. */
void meta_vector_save(const struct meta_backend *, const void *vector, size_t n, void *out);
void meta_vector_load(const struct meta_backend *, void *vector, size_t n, const void *in);

#endif
