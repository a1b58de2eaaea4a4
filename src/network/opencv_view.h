/* How OpenCV's importer of Darknet files (4.6, modules/dnn/src/darknet/darknet_io.cpp) keeps count
   of shapes while it reads a .cfg. Where it goes wrong, it takes too many or too few weights. */
#ifndef META_OPENCV_VIEW_H
#define META_OPENCV_VIEW_H

#include "network.h"

struct meta_opencv_view {
    struct meta_shape shape; /* as it counts the last layer's output */
    int last_flat;           /* the last layer's output has two dimensions, as after [connected] */
    int count;
    int *channels; /* (count) as it counts each layer's output; before a [connected] all numbers */
    unsigned char *flat; /* (count) as last_flat */
};

/* Begins with the image, with room for as many layers. The caller clears. */
int meta_opencv_view_begin(struct meta_opencv_view *, struct meta_shape input, int room,
                           struct meta_error *);
void meta_opencv_view_clear(struct meta_opencv_view *); /* may be a zeroed one */
/* The inputs that OpenCV takes a [connected] to have behind the last layer. */
size_t meta_opencv_view_inputs(const struct meta_opencv_view *);
/* Goes on by a layer. */
void meta_opencv_view_add(struct meta_opencv_view *, const struct meta_layer *);

#endif
