/* The CSV that `groups` of a .data file names: which images belong together. */
#ifndef META_GROUPS_H
#define META_GROUPS_H

#include "data_file.h"

struct meta_group_row {
    char *image; /* a path, or the end of one: a file's name with or without its folders */
    const char *base;
    char *group;
    int line, number; /* number of the group in `name` */
};
struct meta_groups {
    const char *path;
    char *text; /* what rows point into */
    int count;
    struct meta_group_row *rows; /* (count) by base, then image, then line */
    int names;
    char **name; /* (names) the groups, each once, ascending */
};
/* Reads image,group rows (more columns may follow; the first line may be a header that begins with
   "image"), as a spreadsheet exports them: quoted fields, commas, semicolons or tabs. An image in
   two groups is an error. The caller frees. */
int meta_groups_read(struct meta_groups *, const struct meta_data *, struct meta_error *);
void meta_groups_free(struct meta_groups *);

/* Images of a list, in its order. */
struct meta_listed {
    const char *list;
    char *const *paths; /* (count) */
    const int *lines;   /* (count) */
    int count;
};
/* Finds the group of each image: group (count) gets the number of its name, -1 where no row is the
   image's. A row is an image's when one of the two is the end of the other, folder by folder, the
   file's name with or without its extension; of several the one that agrees in most folders. Two
   such rows of different groups, a row that is that of images in several folders, and a CSV that
   names none of the images are errors. */
int meta_groups_find(const struct meta_groups *, const struct meta_listed *, int *group,
                     struct meta_error *);

#endif
