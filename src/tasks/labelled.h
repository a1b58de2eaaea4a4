/* Labelled images that need no list of Darknet's: a folder whose folders are the classes, or a CSV
   of image, class and group. */
#ifndef META_LABELLED_H
#define META_LABELLED_H

#include "base/error.h"

struct meta_labelled {
    char *from; /* the folder or the CSV, as it was named */
    char *root; /* the folder that paths are relative to: `from`, or that of the CSV; "": the
                   working folder */
    int count;
    char **paths; /* (count) in the order of their names, or of the CSV's lines */
    int *lines;   /* (count) line in the CSV; 0: of a folder, which has none */
    int *label;   /* (count) 0..classes-1 */
    int *group;   /* (count) 0..groups-1; -1: in no group */
    int classes;
    char **names; /* (classes) ascending by their bytes */
    int groups;
    char **group_names; /* (groups) */
    int grouped;        /* 1: something says which images belong together */
    int others, loose;  /* files that are no images by their names; images that lie in no class's
                           folder */
    char *other, *one_loose; /* the first of each, or NULL */
    char *unread; /* the columns, "age, patient", that a CSV has besides, if it names them and none
                     is called group; NULL: there are none */
    int nested;   /* images that lie in folders of a class's folder */
};

/* Takes the folders in the class folders for groups: an image's is the first below its class's,
   however deep it lies in that, as in CLASS/patient/study/series. A folder of one name in two
   classes is one group. */
#define META_GROUPS_FOLDERS "folders"

/* Whether `path` names such a folder or CSV: a folder, or a file whose name ends in .csv. */
int meta_labelled_is(const char *path);
/* Reads what `from` says of its images, which are not looked at. groups: META_GROUPS_FOLDERS, a CSV
   as `groups` of a .data file names one (groups.h), or NULL: what the CSV's own column says.

   A folder: each folder in it is a class, of that name, and every image below it is of that class.
   Hidden files and folders are left out. A class without an image, and a link that leads back to a
   folder above it, are errors.

   A CSV: fields may be quoted, between commas, semicolons or tabs. A first line with a field
   "image" names the columns image, class and group, in any order and among others; without one they
   are the first two or three. A path is relative to the folder of the CSV. An image without a group
   belongs to no other.

   Errors: no images; a name of a class that can't stand on a line. The caller frees. */
int meta_labelled_read(struct meta_labelled **, const char *from, const char *groups,
                       struct meta_error *);
void meta_labelled_free(struct meta_labelled *);

/* The path of an image below `root`; its whole path where it does not lie there. */
const char *meta_labelled_inside(const struct meta_labelled *, int image);
/* Numbers the classes as `names` (count) does, which must have all of them. */
int meta_labelled_match(struct meta_labelled *, char *const *names, int count, const char *whose,
                        struct meta_error *);

#endif
