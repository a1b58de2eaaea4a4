/* The oneDNN backend: float, what people run. */
#ifndef META_ONEDNN_H
#define META_ONEDNN_H

#include "engine/backend.h"

extern const struct meta_backend meta_backend_onednn;

#endif
