/* Tasks as floats, made ahead of use by threads of their own. */
#ifndef META_BATCH_H
#define META_BATCH_H

#include "episode.h"
#include "learning/inner_loop.h"
#include "config/model.h"

/* One task's images: planar RGB floats in [0,1], (n, c, height, width), and labels 0..ways-1, label by label. */
struct meta_batch {
    struct meta_episode *episode;
    float *support; int *support_labels;
    float *query;   int *query_labels;
};

/* The image of index `item` of a data set as (c, height, width) floats at `out`.
   augment=0: Darknet's test-time view: resized so that the shorter side fits, centre crop (an image already width x height is
   taken byte for byte / 255). augment=1: Darknet's random_augment_image, flip and random_distort_image, by
   [net]'s keys, drawn from (seed, iteration, task, position); `position` is an image's place in its task, support first. Thread-safe; allocates
   nothing. */
struct meta_view { const struct meta_net_settings *net; int augment; uint64_t seed, iteration; uint32_t task, position; };
void meta_view_image(const struct meta_dataset *, int item, const struct meta_view *, float *out);

/* An image file in that test-time view, as one of a data set would be: net's channels, height and width. Errors begin with the path. */
int meta_view_file(const char *path, const struct meta_net_settings *, float *out, struct meta_error *);
/* The same of an image in memory, which is shrunk on the way. */
struct meta_image;
int meta_view_pixels(struct meta_image *, const struct meta_net_settings *, float *out, struct meta_error *);

/* A stream of tasks (iteration = first, first+1, ...; tasks 0..tasks-1 of each), `ahead` tasks of them, in whole iterations,
   prepared by `threads` loader threads into a ring. What comes out does not depend on either number. The sampler, the data set
   and [net]'s settings are kept: leave them alive. */
struct meta_stream;
int  meta_stream_create(struct meta_stream **, const struct meta_sampler *, const struct meta_dataset *,
                        const struct meta_episode_settings *, const struct meta_net_settings *, int augment, uint64_t seed,
                        uint64_t first, int tasks, int ahead, int threads, struct meta_error *);
/* The same of mini-batches: an iteration is `parts` batches of `images` query images, of which each has equal chances to be any of the data
   set's, a function of (seed, iteration, part, place); its label is outputs[class], (set->classes), the caller's. augment=1. */
int  meta_stream_create_images(struct meta_stream **, const struct meta_dataset *, const int *outputs, const struct meta_net_settings *,
                               uint64_t seed, uint64_t first, int parts, int images, int ahead, int threads, struct meta_error *);
void meta_stream_free(struct meta_stream *);       /* at any time; stops the loaders */
/* With sampler=META_CURRICULUM the classes are the caller's to choose: kinds (tasks, ways), as for meta_episode_draw_kind, copied; the
   first call is for the first iteration, each later one for the iteration after. Loaders wait for them: choose an iteration's before
   taking it, and at most two iterations ahead of the last taken. */
void meta_stream_choose(struct meta_stream *, const int *kinds);
/* The tasks of the next iteration, in order, into batches[0..tasks-1]; they stay valid until the next call.
   Blocks until ready; returns the seconds it waited. */
double meta_stream_next(struct meta_stream *, const struct meta_batch **batches);

#endif
