/* Which group each image of a list is in, for dataset.c. */
#ifndef META_GROUPS_INTERNAL_H
#define META_GROUPS_INTERNAL_H

#include "data_file.h"

/* Looks up the group of each path of a list by the name of its file, with or without extension, in
   the CSV data->groups. group (count) gets numbers from 0, and -1 where the CSV does not name the
   image. A CSV that names none of the images is an error. */
int meta_groups_find(const struct meta_data *data, const char *list, char *const *images, int count,
                     int *group, struct meta_error *error);

#endif
