/* A .data file and what it names: class names, labels, image lists, groups. */
#ifndef META_DATA_H
#define META_DATA_H

#include <stdint.h>
#include "base/error.h"

#define META_CLASSES_MOST 1000000

/* Darknet's keys classes, names, labels, train, valid, test, backup, and `groups`; paths as written (from the working
   folder, Darknet's way). Absent ones are NULL; classes and labels must be there. `top`, of the stock classifier, may be. */
struct meta_data {
    char *path;
    int classes;
    char **names;           /* (classes) for people, from `names`; the labels where there is no names file */
    char **labels;          /* (classes) a path belongs to class k when it contains labels[k], as in Darknet's classifier */
    char *train, *valid, *test, *backup, *groups;
    int line[5];            /* of these five, where each stands in the .data file; 0: it doesn't */
};
/* Checks that classes, labels and names agree in number. Blank lines are skipped and CRLF is read in every list. The caller frees. */
int  meta_data_read(struct meta_data **, const char *path, struct meta_error *);
void meta_data_free(struct meta_data *);
/* Puts "x.data:3: train: " before a message about a path that is data->train, and so on; leaves it alone about any other. Returns -1. */
int  meta_data_blame(const struct meta_data *, const char *path, struct meta_error *);

/* Which file it is, whatever it is called. */
struct meta_file_id { uint64_t device, inode; };       /* 0, 0: there is none */
/* 0, or -1 with *id as it was: there is none, or it can't be looked at. */
int meta_file_id_find(struct meta_file_id *id, const char *path);
/* Of two struct meta_file_id, as qsort and bsearch ask. */
int meta_file_id_order(const void *, const void *);

/* The images of one list, decoded, in memory. */
struct meta_dataset {
    int count;
    char **paths;           /* (count) */
    struct meta_file_id *files; /* (count) */
    int *lines;             /* (count) line in the list, from 1 */
    int *label;             /* (count) 0..classes-1 */
    int *group;             /* (count) images of one group (a lesion) are never on both sides of a task; -1: in none */
    int classes;            /* of the .data file */
    char **names;           /* (classes) borrowed from meta_data: keep that alive */
    char *list;             /* the list's path */
    int c;                  /* channels: 1 or 3 */
    int *w, *h;             /* (count) kept size of each */
    unsigned char **pixels; /* (count) (h, w, c) interleaved RGB bytes */
    void *arena;            /* what paths point into */
};

struct meta_pool;
/* Reads the list, finds each image's class (exactly one label must match its path) and group, decodes everything with
   `pool`, and keeps each at a working size: its shorter side at most max(width,height,side) pixels (area-averaged down, never up).
   A corrupt, empty, huge or missing image fails: "x.list:12: data/a.jpg: ...", as do a file that stands there twice, under one
   name or two, and an empty list; of several such lines the first is named, whatever the threads. The caller frees.

   `groups` is a CSV of image,group (more columns may follow; the first line may be a header that begins with "image"), where
   image is a file's name without folder, with or without extension. An image that it does not name belongs to no group; one that names
   no image of the list is an error. */
int  meta_dataset_load(struct meta_dataset **, const struct meta_data *, const char *list, int width, int height,
                       int channels, int side, struct meta_pool *, struct meta_error *);
void meta_dataset_free(struct meta_dataset *);
int  meta_dataset_groupless(const struct meta_dataset *);      /* images in no group */

/* What is wrong with a list, and what its images take in memory. */
struct meta_survey {
    int bad_count;
    char **bad;             /* (bad_count) a message a line that can't be used, in order of the list */
    size_t bytes;           /* of the other images' pixels, at their working size */
    int small;              /* of them, narrower or lower than width x height: the network sees them enlarged */
};
/* Reads and decodes as meta_dataset_load does, but keeps no pixels (`pixels` are all NULL) and goes on past lines that can't be used,
   which the data set is then without. Fails when the list or `groups` can't be read. The caller frees both. */
int  meta_dataset_survey(struct meta_dataset **, struct meta_survey *, const struct meta_data *, const char *list, int width, int height,
                         int channels, int side, struct meta_pool *, struct meta_error *);
void meta_survey_clear(struct meta_survey *);

#endif
