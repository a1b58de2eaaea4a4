/* The images of one list, decoded, in memory; and a survey of a list, which keeps no pixels. */
#ifndef META_DATASET_H
#define META_DATASET_H

#include <stddef.h>
#include "data_file.h"
#include "base/digest.h"

struct meta_cache;
struct meta_pool;

struct meta_dataset {
    int count;
    char **paths;                /* (count) */
    struct meta_digest *digests; /* (count) of the images' files */
    int *lines;                  /* (count) line in the list, from 1; 0: of a folder */
    int *label;                  /* (count) 0..classes-1 */
    int *named_group; /* (count) the group that the CSV names, by its number among those of the CSV;
                         -1: no group */
    int *copy_of; /* (count) the first earlier image with the same bytes; -1: there is none, or the
                     image is plain */
    unsigned char *plain; /* (count) 1: all pixels are of one colour. Such images can be the same
                             without being copies: a blank frame, a scan of nothing. NULL: none */
    int *group;  /* (count) images of one group (a lesion) are never on both sides of a task; -1: no
                    group. Copies are in one group, with all that the CSV puts beside either */
    int classes; /* of the .data file */
    char **names;           /* (classes) borrowed from the struct meta_data: keep that alive; so are
                               paths where it is of a folder or a CSV */
    char *list;             /* the list's path */
    int range;              /* that the .data file says; 0: none */
    int c;                  /* channels: 1 or 3 */
    int *w, *h;             /* (count) kept size of each image */
    int *largest;           /* (count) of each image: see struct meta_image */
    unsigned char *scaled;  /* (count) likewise; NULL: none */
    unsigned char **pixels; /* (count) (h, w, c) interleaved RGB bytes */
    void *arena;            /* what paths point into */
    struct meta_cache *cache; /* whose file some of the pixels lie in: cache.h; NULL: none do */
    char *note; /* a line for people: that a cache was written, why, or why not; NULL: nothing */
    int cached; /* the cache was written: its file has all of them now */
};

/* Which list to read, and how large to keep its images: the shorter side of each is at most
   max(width, height, side) pixels (larger images are averaged down by area, smaller ones stay as
   they are). */
struct meta_dataset_source {
    const struct meta_data *data;
    const char *list;
    int width, height, channels; /* of the network's input */
    int side;        /* of augmentation, which may want larger images: [net] max_crop; else 0 */
    int orientation; /* enum meta_orientation of [net] */
    int cache;  /* 1: images are taken from the list's cache file, where the .data file says that it
                   lies. It is written where it can't be used, or lacks some of them. No fault of
                   that file is one of the load */
    int shared; /* 1: other processes of this machine are to have the pages of that file in memory
                   too: what was decoded is taken from it, once it is written */
};

/* Reads the list, finds each image's class (exactly one label must match its path) and group, and
   decodes every image with the pool. A corrupt, empty, huge or missing image is an error:
   "x.list:12: data/a.jpg: ..."; so are an empty list, a file that stands in it twice, under one
   name or by a link, files of the same bytes in two classes, and 16-bit files of an unknown range
   (depth.h). The first bad line is named,
   whatever the number of threads. The caller frees.

   An image that the CSV of `groups` does not name belongs to no group: see groups.h. */
int meta_dataset_load(struct meta_dataset **, const struct meta_dataset_source *,
                      struct meta_pool *, struct meta_error *);
void meta_dataset_free(struct meta_dataset *);
/* Images of each class, (classes). The caller frees; NULL when there is no memory. */
int *meta_dataset_class_counts(const struct meta_dataset *);
/* As meta_dataset_load, but reads no image: sizes are 0, pixels NULL and digests {0}. */
int meta_dataset_outline(struct meta_dataset **, const struct meta_data *, const char *list,
                         struct meta_error *);
/* Reads the images' files for their digests alone; that of a file which is not there, or may not be
   read, stays {0}. Fails when another can't be read, as without memory. */
int meta_dataset_digest(struct meta_dataset *, struct meta_pool *, struct meta_error *);
/* Numbers the groups from 0 on, with one of its own for each image that has none: group (count),
   0..*groups-1. Fails without memory alone. */
int meta_dataset_clusters(const struct meta_dataset *, int *group, int *groups,
                          struct meta_error *);
/* Images that the CSV names in no group; images that are copies of earlier ones; images that were
   decoded at a part of their size. */
int meta_dataset_groupless(const struct meta_dataset *);
int meta_dataset_copies(const struct meta_dataset *);
int meta_dataset_scaled(const struct meta_dataset *);
/* The white that the .data file's range= gives to 16-bit files; 0: none, or it makes no difference,
   as it is 65535 or no image is of such a file. */
int meta_dataset_white(const struct meta_dataset *);

/* What is wrong with a list, and what its images take in memory. */
struct meta_survey {
    int bad_count;
    char **bad;   /* (bad_count) a message for each line that can't be used, in order */
    size_t bytes; /* of the pixels of the other images, at the size they are kept at */
    struct meta_thumbnail *thumbnails; /* (count of the data set): images/thumbnail.h */
    int small; /* how many of those are narrower or lower than width x height: the
                  network sees them enlarged */
};
/* Reads and decodes as meta_dataset_load does, but keeps no pixels (`pixels` are all NULL) and goes
   on past lines that can't be used; the data set is then without them. The range of 16-bit files is
   not looked at. Every image is decoded in its full size, for the thumbnails. Fails when the list
   or `groups` can't be read. The caller frees both. */
int meta_dataset_survey(struct meta_dataset **, struct meta_survey *,
                        const struct meta_dataset_source *, struct meta_pool *,
                        struct meta_error *);
void meta_survey_clear(struct meta_survey *);

#endif
