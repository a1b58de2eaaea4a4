/* The images that something may be tuned on, which the rare classes are not. */
#ifndef META_TUNING_LIST_H
#define META_TUNING_LIST_H

#include "base/pool.h"
#include "tasks/data_file.h"
#include "tasks/dataset.h"

/* Fails where the .data file has no valid list, or that is its test list. */
int meta_tuning_list(const struct meta_data *, struct meta_error *);
/* Fails where an image of the data set, the valid list's, is in the test list, too, by its content.
   A test list that is not on this machine tells nothing. */
int meta_tuning_images(const struct meta_dataset *, const struct meta_data *, struct meta_pool *,
                       struct meta_error *);

#endif
