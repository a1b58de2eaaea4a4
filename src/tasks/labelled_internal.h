/* What the readers of folders and of CSVs share. */
#ifndef META_LABELLED_INTERNAL_H
#define META_LABELLED_INTERNAL_H

#include "labelled.h"

/* What is known of an image before classes and groups have numbers. All is owned. */
struct meta_labelled_image {
    char *path, *class, *group; /* group: NULL: none */
    int line;
};
struct meta_labelled_reader {
    struct meta_labelled *set;
    struct meta_labelled_image *images; /* (count) */
    int count, room;
    int by_folder; /* 1: folders in the classes' are groups */
    struct meta_error *error;
};
/* Takes over the three texts, also after a failure; path or class NULL: there was no memory. */
int meta_labelled_add(struct meta_labelled_reader *, struct meta_labelled_image);
void meta_labelled_image_clear(struct meta_labelled_image *);

/* labelled_folder.c, labelled_csv.c */
int meta_labelled_read_folder(struct meta_labelled_reader *);
int meta_labelled_read_csv(struct meta_labelled_reader *);

#endif
