/* Writes Darknet's files of labelled images: a .data file and what it names. */
#ifndef META_LISTS_H
#define META_LISTS_H

#include "split.h"

struct meta_lists {
    const struct meta_labelled *images;
    const int *part; /* (count) as meta_split says */
    const char *folder;
    int range;   /* for the .data file; 0: it has none */
    int replace; /* 1: files that are there may be overwritten */
};
/* FOLDER/NAME.data of FOLDER, whose own name NAME is. The caller frees; NULL: no memory. */
char *meta_lists_data(const char *folder);
/* Fails where one of the files is there already, unless they may be replaced: of groups.csv that is
   so where the .data file of an earlier call names it, or an earlier call was ended before that,
   and its rows are as written here. */
int meta_lists_check(const struct meta_lists *, struct meta_error *);
/* Writes NAME.names, NAME.labels, the lists of the parts that have images (train.list, valid.list,
   test.list), groups.csv where the images have groups, and at last NAME.data. A file of an earlier
   call that is not written again is removed, and what killed calls left. FOLDER/NAME.lock keeps
   two calls apart. Labels are of meta_class_labels; where there are none, the lists have links
   (meta_class_links) below FOLDER/images. What was written is read again: a list that would not say
   the same of an image as `images` is an error. *linked says whether links were made. A failure
   leaves no NAME.data, and without `replace` none of the files. For one thread. */
int meta_lists_write(const struct meta_lists *, int *linked, struct meta_error *);

#endif
