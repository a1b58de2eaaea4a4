/* A .data file: class names and labels, and paths of image lists, groups and the backup folder. */
#ifndef META_DATA_FILE_H
#define META_DATA_FILE_H

#include "base/error.h"

#define META_CLASSES_MOST 1000000

struct meta_labelled;

/* How JPEG files are decoded that are larger than what is kept of them: META_DECODE_SCALED at the
   smallest of 1/2, 1/4 and 1/8 of their size that is not below that (images/image.h). */
enum meta_decode { META_DECODE_SCALED, META_DECODE_FULL };

/* Darknet's keys classes, names, labels, train, valid, test, backup, and `groups`; paths as written
   (from the working folder, as Darknet takes them; the names of a NAME.data that `meta adapt` wrote
   are NAME.names beside it: own_data.h), and `range`, `decode` and `cache`. Absent ones
   are NULL; classes and one of labels and names must be there. `top`, of the stock classifier, is
   accepted and not kept.
 */
struct meta_data {
    char *path;
    int classes;
    char **names; /* (classes) for people, from `names`, or the labels where there is no names file;
                     no two are equal (class_names.h) */
    char **labels; /* (classes) a path is of class k when it contains labels[k], as in Darknet's
                      classifier; NULL: there are none, and a list can't be read */
    int range;     /* value of white in files of 16-bit samples; 0: it is not said */
    int decode;    /* enum meta_decode */
    char *cache;   /* the folder of cache files; NULL: beside each list; "off": none are used */
    char *train, *valid, *test, *backup, *groups;
    struct meta_labelled *labelled; /* the images of `train`, where it names a folder or a CSV in
                                       place of a list (data_open.h); NULL: it is a list */
    int line[5]; /* the line of each of these five in the .data file; 0: it is absent */
};
/* Checks that classes, labels and names agree in number. Blank lines are skipped and CRLF is read
   in every list. The caller frees. */
int meta_data_read(struct meta_data **, const char *path, struct meta_error *);
void meta_data_free(struct meta_data *);
/* Fails where there are no labels. */
int meta_data_need_labels(const struct meta_data *, struct meta_error *);
/* Puts "x.data:3: train: " before a message about the path data->train, and likewise for the other
   four pointers; a message about any other path stays as it is. Of data that have no path, as those
   of a flag, it is "-groups ". Returns -1. */
int meta_data_blame(const struct meta_data *, const char *path, struct meta_error *);

#endif
