/* A task: which images of which classes. */
#ifndef META_EPISODE_H
#define META_EPISODE_H

#include <stdint.h>
#include "data.h"

/* Which images can be drawn, by class and group; built once a data set. */
struct meta_sampler;
/* Checks that every class that has images can fill `shots` + `queries` with disjoint groups, and that there are at least
   `ways` such classes; the error names the class, what it has and what is needed. The caller frees; keeps `dataset`. */
int  meta_sampler_create(struct meta_sampler **, const struct meta_dataset *, const struct meta_episode_settings *,
                         struct meta_error *);
void meta_sampler_free(struct meta_sampler *);

struct meta_episode {
    int ways, shots, queries;
    int *classes;           /* (ways) the data set's class of each label: drawn without replacement, so shuffled */
    int *support;           /* (ways*shots) indices into the data set, label by label */
    int *query;             /* (ways*queries) */
};
int  meta_episode_create(struct meta_episode **, const struct meta_episode_settings *, struct meta_error *);
void meta_episode_free(struct meta_episode *);

/* A function of (seed, iteration, task) alone; no image twice, no group on both sides. Allocates nothing; several threads
   may draw from one sampler, each into its own episode. */
void meta_episode_draw(const struct meta_sampler *, uint64_t seed, uint64_t iteration, uint32_t task,
                       struct meta_episode *);

#endif
