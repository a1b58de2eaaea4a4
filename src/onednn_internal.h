/* What the files of the oneDNN backend share: tensors are channels-last floats, (batch, h, w, c). */
#ifndef META_ONEDNN_INTERNAL_H
#define META_ONEDNN_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>
#include "backend.h"

/* The one CPU engine of the process; NULL before meta_backend_onednn.open. */
dnnl_engine_t meta_onednn_engine(void);

extern const struct meta_kernel meta_onednn_conv, meta_onednn_connected, meta_onednn_epilogue;

/* Of meta_onednn_epilogue's state: batch mean and variance of its last forward, (channels) each. */
void meta_onednn_batch_statistics(const struct meta_op *, float *mean, float *variance);

#endif
