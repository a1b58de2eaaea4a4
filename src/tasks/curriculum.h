/* Which kinds of task a training draws: `[episode] sampler=curriculum`, the task sampling of Maicas
   et al. (MICCAI 2018) after the teacher-student curriculum of Matiisen et al. (2017, their
   algorithm "Sampling").

   A kind is an unordered set of `ways` classes. Each kind keeps a window of its last rewards, first
   in, first out. The query AUC of a kind in an iteration is the mean over the iteration's tasks of
   that kind; the reward is that AUC less the one of the iteration that drew the kind before, so
   that the first time gives none. The kind of a task is drawn like this: with probability `explore`
   it is any kind, with equal chances; else one reward is picked at random from the window of each
   kind (1 from an empty window), and the kind whose pick is the largest is taken, with equal
   chances among equals.

   Tasks are made while the iteration before is computed, so the kinds of iteration t are drawn from
   the rewards up to iteration t - META_CURRICULUM_LAG, whatever the number of threads; all tasks of
   an iteration are drawn from the same rewards. Draws are a function of (seed, iteration, task) and
   of these rewards alone. */
#ifndef META_CURRICULUM_H
#define META_CURRICULUM_H

#include <stdint.h>
#include "base/error.h"

#define META_CURRICULUM_LAG 2

struct meta_curriculum;

/* Draws the kinds of iterations `first` to first + META_CURRICULUM_LAG - 1 from empty windows.
   `classes` is how many there are to choose from; fails when they make more than 10000 kinds. ways,
   tasks, window and explore are those of the settings. The caller frees. */
int meta_curriculum_create(struct meta_curriculum **, int classes,
                           const struct meta_episode_settings *, uint64_t seed, uint64_t first,
                           struct meta_error *);
void meta_curriculum_free(struct meta_curriculum *);

/* Returns (tasks, ways) the classes, 0..classes-1, of each task of an iteration, rising within a
   task. The iteration is one of the META_CURRICULUM_LAG that follow the last one learned. Valid
   until the next meta_curriculum_learn. */
const int *meta_curriculum_classes(const struct meta_curriculum *, uint64_t iteration);

/* auc (tasks) is the query AUC of each task of the iteration after the last one learned. Draws the
   kinds of the iteration META_CURRICULUM_LAG later. */
void meta_curriculum_learn(struct meta_curriculum *, const double *auc);

/* Everything that later draws depend on, bit for bit, for a checkpoint. */
size_t meta_curriculum_bytes(const struct meta_curriculum *);
void meta_curriculum_save(const struct meta_curriculum *, void *out);
/* Fails when the bytes can't be such a state. */
int meta_curriculum_load(struct meta_curriculum *, const void *in, struct meta_error *);

#endif
