/* Darknet's layers in operations of ONNX. */
#ifndef META_ONNX_LAYERS_H
#define META_ONNX_LAYERS_H

#include "graph.h"
#include "network/filled.h"

/* What the network's last layer gives. */
#define META_ONNX_OUTPUT_NAME "probabilities"

/* Adds layer i of a network that has no normalisation, rotations or plugin's layer. values (i) are
   those of the layers before it; one may be brought into another form, in place. The first layer
   reads `image`. Returns the layer's own value. */
struct meta_onnx_value meta_onnx_layer(struct meta_onnx_graph *, const struct meta_filled *, int i,
                                       struct meta_onnx_value *values,
                                       const struct meta_onnx_value *image);

/* A number a channel as a map of that shape with the number in every pixel. */
struct meta_onnx_value meta_onnx_spread(struct meta_onnx_graph *, struct meta_onnx_value,
                                        struct meta_shape);

struct meta_onnx_value meta_onnx_shortcut(struct meta_onnx_graph *, const struct meta_layer *,
                                          struct meta_onnx_value here, struct meta_onnx_value from);
struct meta_onnx_value meta_onnx_upsample(struct meta_onnx_graph *, const struct meta_layer *,
                                          struct meta_onnx_value);
struct meta_onnx_value meta_onnx_local(struct meta_onnx_graph *, const struct meta_layer *,
                                       const float *parameters, struct meta_onnx_value);
struct meta_onnx_value meta_onnx_crop(struct meta_onnx_graph *, const struct meta_layer *,
                                      struct meta_onnx_value);
struct meta_onnx_value meta_onnx_reorg(struct meta_onnx_graph *, const struct meta_layer *,
                                       struct meta_onnx_value);

#endif
