/* The meta-gradient of tasks that several ranks have computed. Each rank adds up one slice of the
   parameters, over all tasks and in their order, and then all ranks gather the slices: the sums are
   those of one process, bit for bit. */
#ifndef META_EXCHANGE_H
#define META_EXCHANGE_H

#include "engine/backend.h"
#include "transport/transport.h"

struct meta_exchange;

/* Tasks are shared out by meta_part: there must be at least as many as ranks. The caller
   frees; backend and transport must outlive it. */
int meta_exchange_create(struct meta_exchange **, const struct meta_backend *,
                         struct meta_transport *, size_t parameters, int tasks,
                         struct meta_error *);
void meta_exchange_free(struct meta_exchange *);

/* Sums the gradients of all tasks, backend vectors (parameters) of which this rank has its own, and
   writes sum * scale to `mean`, a backend vector too, on every rank. Fails where a rank is lost. */
int meta_exchange_mean(struct meta_exchange *, void *const *gradient, double scale, void *mean,
                       struct meta_error *);

#endif
