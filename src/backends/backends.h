/* The registry of backends: whoever is not a backend gets one here, by its name or by what it is
   for. */
#ifndef META_BACKENDS_H
#define META_BACKENDS_H

#include "engine/backend.h"

/* NULL when there is none of that name. */
const struct meta_backend *meta_backend_find(const char *name);

/* The same backend with another set of kernels: "own", the project's tiles where they pay, or
   "onednn", oneDNN's convolutions alone. NULL: it has no such set. */
const struct meta_backend *meta_backend_kernels(const struct meta_backend *, const char *set);

/* The backend that trains and predicts where nobody names one. */
const struct meta_backend *meta_backend_default(void);

/* The backend that computes in double and that others are checked against. */
const struct meta_backend *meta_backend_exact(void);

#endif
