/* One task with its images. */
#ifndef META_BATCH_H
#define META_BATCH_H

#include "episode.h"

/* Images are planar RGB floats in [0,1], (images, c, height, width); labels are 0..ways-1, label by
   label. */
struct meta_batch {
    struct meta_episode *episode;
    float *support;
    int *support_labels;
    float *query;
    int *query_labels;
};

#endif
