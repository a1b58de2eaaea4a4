/* Shortcuts of the oneDNN backend on the fused sweeps. */
#ifndef META_ONEDNN_SHORTCUT_H
#define META_ONEDNN_SHORTCUT_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_shortcut;

/* Whether meta_onednn_shortcut can do this shortcut. */
int meta_onednn_shortcut_fits(const struct meta_op *);

#endif
