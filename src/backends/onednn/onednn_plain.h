/* The plain loops over blocked tensors, for what the oneDNN backend has nothing faster for. */
#ifndef META_ONEDNN_PLAIN_H
#define META_ONEDNN_PLAIN_H

#include "engine/backend.h"

extern const struct meta_kernel meta_plain_epilogue, meta_plain_avgpool, meta_plain_shortcut,
    meta_plain_route, meta_plain_dropout, meta_plain_plugin, meta_plain_pairing, meta_plain_loss,
    meta_plain_squares, meta_plain_pick, meta_plain_scale, meta_plain_local;

#endif
