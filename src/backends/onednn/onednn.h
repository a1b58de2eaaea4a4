/* The oneDNN backend: float, what people run. */
#ifndef META_ONEDNN_H
#define META_ONEDNN_H

#include "engine/backend.h"

extern const struct meta_backend meta_backend_onednn;
/* The same with oneDNN's own convolutions in place of the project's tiles. */
extern const struct meta_backend meta_backend_onednn_alone;

#endif
