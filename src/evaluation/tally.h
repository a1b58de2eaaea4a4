/* Adds up, task by task, what each group of images does to the AUC. */
#ifndef META_TALLY_H
#define META_TALLY_H

#include "base/error.h"
#include "by_group.h"
#include "tasks/dataset.h"
#include "tasks/episode.h"

struct meta_tally;
/* The settings' ways, shots and queries count. The data set outlives the tally. The caller frees.
 */
int meta_tally_create(struct meta_tally **, const struct meta_dataset *,
                      const struct meta_episode_settings *, struct meta_error *);
void meta_tally_free(struct meta_tally *);

struct meta_tallied {
    const int *support, *query; /* (ways, shots), (ways, queries) images of the list */
    const int *wins;            /* (ways, queries) meta_auc_wins of the query images */
    double auc;                 /* meta_auc_task of the same */
};
/* Adds the next task. */
void meta_tally_add(struct meta_tally *, const struct meta_tallied *);
/* The groups of the tasks so far. The caller clears. */
int meta_tally_read(struct meta_by_group *, const struct meta_tally *, struct meta_error *);

#endif
