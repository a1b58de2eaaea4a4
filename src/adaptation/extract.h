/* What a layer of a network gives for images: their features. */
#ifndef META_EXTRACT_H
#define META_EXTRACT_H

#include "engine/backend.h"
#include "network/filled.h"

/* Replaces *layer = -1 by the layer whose output the last [connected] reads. Fails, with `name`
   before the number, where the network has no such layer before its [softmax] or pairing one. */
int meta_extract_layer(const struct meta_network *, const char *name, int *layer,
                       struct meta_error *);

/* A network as far as that layer (meta_extract_layer), ready for images; one thread at a time uses
   it. Several may share the numbers of `filled`, which must outlive them. statistics
   (network->statistics) normalise the images, `batch` of which are computed at a time, and an
   image's features depend on it alone. Without statistics (NULL) the images of a call are
   normalised together, and there must be exactly `batch`. */
struct meta_extractor;
struct meta_extract {
    const struct meta_filled *filled; /* filled->statistics are not read */
    const float *statistics;
    const struct meta_backend *backend;
    int layer, batch;
};
int meta_extractor_create(struct meta_extractor **, const struct meta_extract *,
                          struct meta_error *);
void meta_extractor_free(struct meta_extractor *); /* NULL is allowed */
/* Fills features (n, the numbers of the layer's output), planar (c, h, w), from images (n, c, h, w)
   in [0,1]. */
int meta_extractor_run(struct meta_extractor *, const float *images, int n, float *features,
                       struct meta_error *);

#endif
