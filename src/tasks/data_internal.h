/* What data.c, groups.c and dataset.c share. */
#ifndef META_DATA_INTERNAL_H
#define META_DATA_INTERNAL_H

#include "data_file.h"

/* Looks up the group of each path of a list by its file's name, with or without extension, in the CSV data->groups: group (count) gets
   numbers from 0, and -1 where the CSV does not name the image. One that names none of them is an error. */
int meta_groups_find(const struct meta_data *data, const char *list, char *const *images, int count, int *group, struct meta_error *);

#endif
