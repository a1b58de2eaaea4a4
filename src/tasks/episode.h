/* A task: which images of which classes. */
#ifndef META_EPISODE_H
#define META_EPISODE_H

#include <stdint.h>
#include "data_file.h"

/* Which images can be drawn, by class and group; built once a data set. */
struct meta_sampler;
/* Checks that every class that has images can fill `shots` + `queries` with disjoint groups, and that there are at least
   `ways` such classes; the error names the class, what it has and what is needed. The check is exact for a class that shares no
   group with another; a class that does must have enough images whatever the other classes of a task draw. The caller frees. */
int  meta_sampler_create(struct meta_sampler **, const struct meta_dataset *, const struct meta_episode_settings *,
                         struct meta_error *);
void meta_sampler_free(struct meta_sampler *);

struct meta_episode {
    int ways, shots, queries;
    int *classes;           /* (ways) the data set's class of each label: drawn without replacement, so shuffled */
    int *support;           /* (ways*shots) indices into the data set, label by label */
    int *query;             /* (ways*queries) */
    int *groups;            /* (ways*shots + 1) and */
    unsigned char *reach;   /* (shots): meta_episode_draw's own */
};
int  meta_episode_create(struct meta_episode **, const struct meta_episode_settings *, struct meta_error *);
void meta_episode_free(struct meta_episode *);

int  meta_sampler_classes(const struct meta_sampler *);        /* classes that have images */

/* The task's classes are drawn first; then each label's support images, one by one, each with equal chances among those of its
   class that leave enough of the class in other groups to finish the task; then each label's query images, one by one, each
   with equal chances among those of its class whose group is on no support image of the task. A group may give several images to
   one side.

   A function of (seed, iteration, task) alone; no image twice, no group on both sides. Allocates nothing; several threads
   may draw from one sampler, each into its own episode. */
void meta_episode_draw(const struct meta_sampler *, uint64_t seed, uint64_t iteration, uint32_t task,
                       struct meta_episode *);
/* The same of the classes given, (ways) different numbers from 0 to meta_sampler_classes - 1: of those that have images, in the data
   set's order. Drawn first is then which label each gets. */
void meta_episode_draw_kind(const struct meta_sampler *, const int *kind, uint64_t seed, uint64_t iteration, uint32_t task,
                            struct meta_episode *);

#endif
