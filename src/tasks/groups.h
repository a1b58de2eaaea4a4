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
    const struct meta_data *data; /* the caller's, which meta_groups_find needs */
    int unnamed; /* the line of a first row that may be a head without "image"; 0: none */
    char *text;  /* what rows point into */
    int count;
    struct meta_group_row *rows; /* (count) by base, then image, then line */
    int names;
    char **name; /* (names) the groups, each once, ascending */
};
/* Reads image,group rows (more columns may follow; the first line may be a header with the words
   "image" and "group"), as a spreadsheet exports them: quoted fields, commas, semicolons or tabs.
   A header of three columns without "group" must have one of lesions or patients behind "image". An
   image in two groups is an error. The caller frees. */
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
   file's name with or without its extension, of which digits alone are none. Of several the one of
   the whole name holds, and of these the one that agrees in most folders. Two such rows of
   different groups, a row that is that of images in several folders, a CSV that names none of the
   images, and a first row of three columns, or with the word "group", that is no image of any list
   and does not name the column "image" are errors. */
int meta_groups_find(const struct meta_groups *, const struct meta_listed *, int *group,
                     struct meta_error *);

#endif
