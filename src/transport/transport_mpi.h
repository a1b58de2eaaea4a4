/* What libdarknet-meta-mpi.so exports. */
#ifndef META_TRANSPORT_MPI_H
#define META_TRANSPORT_MPI_H

#include "transport.h"

struct meta_transport_part {
    size_t size; /* sizeof(struct meta_transport_part) */
    int (*open)(struct meta_transport **, double limit, struct meta_error *);
};

#define META_TRANSPORT_PART "meta_transport_part"
extern const struct meta_transport_part meta_transport_part __attribute__((visibility("default")));

#endif
