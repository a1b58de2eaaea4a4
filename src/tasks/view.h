/* What the network sees of an image: planar RGB floats in [0,1], (channels, height, width) of
   [net]. */
#ifndef META_VIEW_H
#define META_VIEW_H

#include "config/net_section.h"
#include "dataset.h"

struct meta_image;

/* augment=0: Darknet's test-time view: resized so that the shorter side fits, then cropped in the
   middle (an image that is width x height already is taken byte for byte / 255). augment=1:
   Darknet's random_augment_image, flip and random_distort_image, by the keys of [net], drawn from
   (seed, iteration, task, position); `position` is the place of the image in its task, support
   images first. */
struct meta_view {
    const struct meta_net_settings *net;
    int augment;
    uint64_t seed, iteration;
    uint32_t task, position;
};
/* The view of image number `item` of a data set. Thread-safe; allocates nothing. */
void meta_view_image(const struct meta_dataset *, int item, const struct meta_view *, float *out);

/* The test-time view of an image file, as if it were in a data set of the .data file. Errors begin
   with the path; 16-bit values of unknown range are one (depth.h). */
int meta_view_file(const char *path, const struct meta_data *, const struct meta_net_settings *,
                   float *out, struct meta_error *);
/* The test-time view of image number `item` of an outline (meta_dataset_outline), read from its
   file: 16-bit values of any range are taken, and what meta_depth_check asks of them is noted, for
   when all were seen. Thread-safe. */
int meta_view_listed(struct meta_dataset *, int item, const struct meta_data *,
                     const struct meta_net_settings *, float *out, struct meta_error *);
/* The test-time view of an image in memory, which is shrunk on the way. */
int meta_view_pixels(struct meta_image *, const struct meta_net_settings *, float *out,
                     struct meta_error *);

#endif
