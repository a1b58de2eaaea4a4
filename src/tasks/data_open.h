/* What a command's word DATA names: a .data file, a folder of classes, or a CSV. */
#ifndef META_DATA_OPEN_H
#define META_DATA_OPEN_H

#include "data_file.h"

/* What flags, or another .data file, say of a folder or a CSV, and a .data file says itself. */
struct meta_data_flags {
    const char *groups; /* of meta_labelled_read; NULL: it is not said */
    int range;          /* 0: it is not said */
    int decode;         /* enum meta_decode; no flag says it */
};
/* Reads the .data file, folder or CSV `path`. Of the latter two the data have the classes and their
   names, `labelled`, and `train`, which is `path`; no labels, no other lists, and no cache files.
   Flags beside a .data file are errors. The caller frees. */
int meta_data_open(struct meta_data **, const char *path, const struct meta_data_flags *,
                   struct meta_error *);
/* Those of the flags `said` that `path` can take, for a command that reads two data sets by one set
   of flags: none of a .data file, no groups of a CSV with a column of its own. */
int meta_data_flags_taken(struct meta_data_flags *, const char *path,
                          const struct meta_data_flags *said, struct meta_error *);
/* Puts the classes of a folder or a CSV into the order of `names` (count), which must have all of
   them; data->classes is then count. */
int meta_data_match(struct meta_data *, char *const *names, int count, const char *whose,
                    struct meta_error *);
/* Whether the data say which images belong together. */
int meta_data_grouped(const struct meta_data *);
/* What people are told that groups come from: the CSV, or "-groups folders". */
const char *meta_data_groups_source(const struct meta_data *);

#endif
