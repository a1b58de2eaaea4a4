/* Connected layers of the oneDNN backend. */
#ifndef META_ONEDNN_CONNECTED_H
#define META_ONEDNN_CONNECTED_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_connected;

#endif
