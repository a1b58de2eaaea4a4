/* Images that two lists have, byte for byte, under whatever names. */
#ifndef META_SHARED_H
#define META_SHARED_H

#include "dataset.h"

/* Images of one data set that are also in another. */
struct meta_shared {
    int count;
    int frames; /* how many of them are another page or frame of a file of the other's: what is one
                   patient's there is that patient's here */
    int image, twin; /* the first of them, where there is one the first that is no such page or
                        frame, and where the other data set has it */
};
/* What is to be said of frames behind "is there, too", or "". */
const char *meta_shared_words(const struct meta_shared *);
int meta_shared_find(struct meta_shared *, const struct meta_dataset *,
                     const struct meta_dataset *other, struct meta_error *);

/* *count: how many groups have images of both data sets, by the names that the folder, the CSV or
   the CSV of groups= gives them. The data sets are lists of the data, or their folder or CSV. */
int meta_shared_groups(int *count, const struct meta_data *, const struct meta_dataset *,
                       const struct meta_data *of_other, const struct meta_dataset *other,
                       struct meta_error *);

/* Reads of a list what may be in a data set, too: the lines whose files are as long as one of the
   data set's. The answer has paths, lines and digests alone; files that can't be read are left out.
   The caller frees. */
int meta_shared_candidates(struct meta_dataset **, const struct meta_dataset *, const char *list,
                           struct meta_pool *, struct meta_error *);

#endif
