/* A graph of ONNX that is built value by value, out of layers and activations. */
#ifndef META_ONNX_GRAPH_H
#define META_ONNX_GRAPH_H

#include "network/network.h"
#include "onnx_part.h"

enum { META_ONNX_NAME = 96 };

/* What a node gives: for each image a map (c, h, w), or a row of c numbers where `flat`. */
struct meta_onnx_value {
    char name[META_ONNX_NAME];
    struct meta_shape shape;
    int flat;
};

struct meta_onnx_graph {
    const struct meta_onnx_part *part;
    struct meta_onnx_model *model;
    char layer[48]; /* what the names of its nodes begin with: "3_convolutional" */
    int step;       /* nodes of that layer */
    int lost;       /* there was no memory for a constant */
};

/* Adds a node whose output has this shape and form. Inputs, then attributes, are added to it next.
   It is named "LAYER/STEP_OPERATION", or as the caller says. */
struct meta_onnx_value meta_onnx_node(struct meta_onnx_graph *, const char *operation,
                                      struct meta_shape, int flat);
struct meta_onnx_value meta_onnx_named(struct meta_onnx_graph *, const char *operation,
                                       const char *name, struct meta_shape, int flat);
void meta_onnx_input(struct meta_onnx_graph *, const struct meta_onnx_value *);
/* A constant as the node's next input: `count` dimensions of real numbers, none for a single
   number; or `count` whole numbers. It is named after the node and what it is. */
void meta_onnx_reals(struct meta_onnx_graph *, const struct meta_onnx_value *node, const char *what,
                     const float *values, const int64_t *dimensions, int count);
void meta_onnx_wholes(struct meta_onnx_graph *, const struct meta_onnx_value *node,
                      const char *what, const int64_t *values, int count);

/* The value as maps, or as rows of c * h * w numbers: itself where it is so already. */
struct meta_onnx_value meta_onnx_as_map(struct meta_onnx_graph *, struct meta_onnx_value);
struct meta_onnx_value meta_onnx_as_row(struct meta_onnx_graph *, struct meta_onnx_value);
/* The value's numbers, in their order, as dimensions behind that of the images; the shape is told
   for maps of three. */
struct meta_onnx_value meta_onnx_reshape(struct meta_onnx_graph *, struct meta_onnx_value,
                                         const int64_t *dimensions, int count);

/* Maps with so many zeros on every side; themselves without any. */
struct meta_onnx_value meta_onnx_pad(struct meta_onnx_graph *, struct meta_onnx_value, int pixels);

/* Number by number: of one value, of two of one shape, and with a constant. */
struct meta_onnx_value meta_onnx_unary(struct meta_onnx_graph *, const char *operation,
                                       struct meta_onnx_value);
struct meta_onnx_value meta_onnx_binary(struct meta_onnx_graph *, const char *operation,
                                        struct meta_onnx_value, struct meta_onnx_value);
struct meta_onnx_value meta_onnx_times(struct meta_onnx_graph *, struct meta_onnx_value, double);
struct meta_onnx_value meta_onnx_plus(struct meta_onnx_graph *, struct meta_onnx_value, double);

/* Darknet's activation in operations of ONNX. */
struct meta_onnx_value meta_onnx_activate(struct meta_onnx_graph *, struct meta_onnx_value,
                                          enum meta_activation);

#endif
