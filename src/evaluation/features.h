/* What a layer gives for each image of a task, for methods that classify these features and learn
   nothing of the network. */
#ifndef META_FEATURES_H
#define META_FEATURES_H

#include "method.h"

struct meta_features;
/* layer: counted from 0. Allocates all that computing needs. The caller frees, also after a
   failure. */
int meta_features_create(struct meta_features **, const struct meta_method_context *, int layer,
                         struct meta_error *);
void meta_features_free(struct meta_features *);
int meta_features_size(const struct meta_features *); /* numbers an image */
/* (ways*shots, size) of the support images; those of the query images, (ways*queries, size),
   follow. Valid until the next call. NULL with a message when the pass failed. */
const float *meta_features_compute(struct meta_features *, const struct meta_method_task *,
                                   struct meta_error *);

/* The layer that -layer names, or for -1 the input of the last [connected]: -1 where there is none
   before it. */
int meta_features_layer(const struct meta_model *, int layer);
/* Refuses a layer that the network does not have before [softmax], in the words of -layer. */
int meta_features_check(const struct meta_model *, const struct meta_method *, int layer,
                        struct meta_error *);
#define META_FEATURES_FLAG_HELP                                                                    \
    "knn, svm: the layer whose output is taken, from 0 (the one before the last [connected])"

#endif
