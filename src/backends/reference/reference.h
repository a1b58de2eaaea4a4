/* The reference backend: plain loops in double over planar tensors, for tests, checks and
   oracles. */
#ifndef META_REFERENCE_H
#define META_REFERENCE_H

#include "engine/backend.h"

extern const struct meta_backend meta_backend_reference;

#endif
