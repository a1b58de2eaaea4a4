/* Draws tasks: which images of which classes. */
#ifndef META_EPISODE_H
#define META_EPISODE_H

#include <stdint.h>
#include "dataset.h"

/* The images of a data set by class and group, which tasks are drawn from. */
struct meta_sampler;
/* Checks that every class that has images can fill `shots` + `queries` with disjoint groups, and
   that there are at least `ways` such classes; the error names the class, what it has and what is
   needed. The check is exact for a class that shares no group with another class; one that shares
   groups must have enough images whatever the other classes of a task draw. The data set may be
   freed before the sampler. The caller frees. */
int meta_sampler_create(struct meta_sampler **, const struct meta_dataset *,
                        const struct meta_episode_settings *, struct meta_error *);
void meta_sampler_free(struct meta_sampler *);

struct meta_episode {
    int ways, shots, queries;
    int *classes; /* (ways) the data set's class of each label: drawn without replacement, so
                     shuffled */
    int *support; /* (ways*shots) indices into the data set, label by label */
    int *query;   /* (ways*queries) */
    int *groups;  /* (ways*shots + 1) scratch of meta_episode_draw */
    unsigned char *reach; /* (shots) scratch of meta_episode_draw */
};
int meta_episode_create(struct meta_episode **, const struct meta_episode_settings *,
                        struct meta_error *);
void meta_episode_free(struct meta_episode *);

int meta_sampler_classes(const struct meta_sampler *); /* classes that have images */

/* Draws the classes of the task first; then the support images of each label, one by one, each with
   equal chances among those of its class that leave enough of the class in other groups to finish
   the task; then the query images of each label, one by one, each with equal chances among those of
   its class whose group no support image of the task is of. A group may give several images to one
   side.

   The draw is a function of (seed, iteration, task) alone; no image comes twice, and no group on
   both sides. Allocates nothing; several threads may draw from one sampler, each into its own
   episode. */
void meta_episode_draw(const struct meta_sampler *, uint64_t seed, uint64_t iteration,
                       uint32_t task, struct meta_episode *);
/* Draws a task of given classes: kind (ways) holds different numbers from 0 to meta_sampler_classes
   - 1, which count the classes that have images in the data set's order. What is drawn first is
   then which label each class gets. */
void meta_episode_draw_kind(const struct meta_sampler *, const int *kind, uint64_t seed,
                            uint64_t iteration, uint32_t task, struct meta_episode *);

#endif
