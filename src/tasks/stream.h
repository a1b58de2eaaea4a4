/* Tasks with their images, made ahead of use by loader threads. */
#ifndef META_STREAM_H
#define META_STREAM_H

#include "batch.h"
#include "config/net_section.h"

/* The stream gives iterations first, first+1, ..., each of `tasks` tasks. What comes out depends
   neither on `ahead` nor on `threads`. */
struct meta_stream_settings {
    const struct meta_dataset *set;
    const struct meta_net_settings *net;
    int augment; /* as in view.h */
    uint64_t seed, first;
    int tasks;      /* of an iteration */
    int begin, own; /* the tasks that are made: `own` of them from number `begin` on; 0: all */
    int ahead;      /* tasks that are prepared ahead of use, rounded up to whole iterations */
    int threads;    /* loaders */
};

struct meta_stream;
/* The data set, [net]'s settings and the sampler are kept: leave them alive. The caller frees. */
int meta_stream_create(struct meta_stream **, const struct meta_stream_settings *,
                       const struct meta_sampler *, const struct meta_episode_settings *,
                       struct meta_error *);
/* Mini-batches in place of tasks, for supervised training: an iteration has `tasks` batches of
   `images` query images each and no support images. Every image of the data set has equal chances
   for every place of a batch, a function of (seed, iteration, batch, place). The label of an image
   is outputs[class]; outputs (set->classes) is the caller's and stays alive. */
int meta_stream_create_images(struct meta_stream **, const struct meta_stream_settings *,
                              const int *outputs, int images, struct meta_error *);
void meta_stream_free(struct meta_stream *); /* at any time; stops the loaders */

/* With sampler=META_CURRICULUM the caller chooses the classes: kinds (tasks, ways), as for
   meta_episode_draw_kind, are copied. The first call is for the first iteration, each later call
   for the iteration after. Loaders wait for the classes: choose those of an iteration before taking
   it, and at most two iterations ahead of the last one taken. */
void meta_stream_choose(struct meta_stream *, const int *kinds);
/* Puts the tasks of the next iteration into batches[0..tasks-1], in order, NULL for those that are
   not made; they stay valid until the next call. Blocks until they are made; returns the seconds it
   waited. */
double meta_stream_next(struct meta_stream *, const struct meta_batch **batches);

#endif
