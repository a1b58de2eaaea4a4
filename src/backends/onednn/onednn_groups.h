/* Convolutions of the oneDNN backend whose channels are in groups. */
#ifndef META_ONEDNN_GROUPS_H
#define META_ONEDNN_GROUPS_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_groups;

#endif
