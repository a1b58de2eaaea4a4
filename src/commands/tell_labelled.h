/* What commands say of a folder of classes, or a CSV, that they have read, and of the flags for
   these. */
#ifndef META_TELL_LABELLED_H
#define META_TELL_LABELLED_H

#include "tasks/labelled.h"

/* The help of -groups and -range, which say of a folder or a CSV what a .data file says itself. */
#define META_GROUPS_HELP                                                                           \
    "folders, or a CSV of image,group: which images of a folder belong together"
#define META_RANGE_HELP "value of white in 16-bit files of a folder or a CSV (65535)"

/* Prints how many images each class has, and warns on standard error of files and columns that were
   not read. Nothing where there is no such folder (NULL). */
void meta_tell_labelled(const struct meta_labelled *);

#endif
