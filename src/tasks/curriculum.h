/* Which kinds of task a training draws: `[episode] sampler=curriculum`, the task sampling of Maicas et al. (MICCAI 2018) after the
   teacher-student curriculum of Matiisen et al. (2017, their algorithm "Sampling").

   A kind is an unordered set of `ways` classes. Each keeps a window of its last rewards, the first in the first out. An iteration's
   query AUC of a kind is the mean over its tasks of that kind; the reward is that AUC less the one of the iteration that drew the
   kind before, so that the first time there is none. To draw a task's kind: with probability `explore` any, all alike; else one
   reward of each kind's window is picked at random, 1 from an empty window, and the kind whose pick is the largest is taken, one of
   equals at random, all alike.

   Tasks are made while the iteration before is computed, so the kinds of iteration t are drawn from the rewards up to iteration
   t - META_CURRICULUM_LAG, whatever the number of threads; all tasks of an iteration from the same rewards. Draws are a function of
   (seed, iteration, task) and of these rewards alone. */
#ifndef META_CURRICULUM_H
#define META_CURRICULUM_H

#include <stdint.h>
#include "base/error.h"

#define META_CURRICULUM_LAG 2

struct meta_curriculum;

/* Draws the kinds of iterations `first` to first+LAG-1 from empty windows. `classes` is how many there are to choose from; fails
   when that makes more than 10000 kinds. window, explore: of the settings. The caller frees. */
int  meta_curriculum_create(struct meta_curriculum **, int classes, const struct meta_episode_settings *, uint64_t seed,
                            uint64_t first, struct meta_error *);
void meta_curriculum_free(struct meta_curriculum *);

/* (tasks, ways) the classes, 0..classes-1, of each task of an iteration: rising within a task. The iteration is one of the LAG that
   follow the last learned. Valid until the next meta_curriculum_learn. */
const int *meta_curriculum_classes(const struct meta_curriculum *, uint64_t iteration);

/* auc (tasks): the query AUC of each task of the iteration after the last learned. Draws the kinds of iteration + LAG. */
void meta_curriculum_learn(struct meta_curriculum *, const double *auc);

/* Everything that later draws depend on, bit for bit, for a checkpoint. */
size_t meta_curriculum_bytes(const struct meta_curriculum *);
void   meta_curriculum_save(const struct meta_curriculum *, void *out);
/* Refuses what can't be such a state. */
int    meta_curriculum_load(struct meta_curriculum *, const void *in, struct meta_error *);

#endif
