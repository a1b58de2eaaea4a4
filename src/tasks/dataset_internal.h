/* What the files that read a list share. */
#ifndef META_DATASET_INTERNAL_H
#define META_DATASET_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "cache.h"
#include "dataset.h"
#include "images/image.h"

/* The use of a cache file by one pass over a list. */
struct meta_job_cache {
    char *path; /* NULL: none is used */
    struct meta_cache_kind kind;
    int there;             /* the file is there, whether or not it can be used */
    struct meta_error why; /* why it can't */
    int *found;            /* (count) the numbers of the images in the file; -1: not there */
    struct meta_file_state *states; /* (count) of the images' files, before they were read */
    uint64_t *sums;                 /* (count) of the pixels */
    atomic_int decoded, damaged;    /* images that were decoded; of which the file's are damaged */
};

/* What one pass over a list works with. Lines that can't be used are noted, in any order and from
   several threads. A load ends with the message of the first such line of the list; a survey goes
   on and keeps all messages. */
struct meta_job {
    struct meta_dataset *set;
    struct meta_image_reading reading;
    struct meta_job_cache cache;
    atomic_int bad;        /* load: the first image that failed; no image after it is begun.
                              survey: one whose message there was no memory for */
    pthread_mutex_t mutex; /* guards `error` */
    struct meta_error *error;
    char **why;                        /* survey: (count) what is wrong with each line, or NULL */
    struct meta_thumbnail *thumbnails; /* survey: (count) */
};

/* dataset.c */
struct meta_job meta_job_open(const struct meta_dataset_source *, struct meta_error *);
/* Decodes all images, once all that the lines say is known, and compares them. */
int meta_job_read_images(struct meta_job *, const struct meta_data *, struct meta_pool *,
                         struct meta_error *);

/* dataset_lines.c */
void meta_job_note(struct meta_job *, int i, const struct meta_error *what);
int meta_job_failed(struct meta_job *);
/* Reads the list, and makes room for what is to be known of its images. */
int meta_job_read_list(struct meta_job *, const struct meta_dataset_source *, struct meta_error *);
/* What of the images the list and the CSV of groups tell. */
int meta_job_read_lines(struct meta_job *, const struct meta_data *, struct meta_error *);
/* Notes lines whose image is that of an earlier line of another class. */
int meta_job_check_copies(struct meta_job *, struct meta_error *);

/* dataset_cache.c */
/* Looks for the list's cache file, where the source wants one. Fails without memory. */
int meta_job_cache_open(struct meta_job *, const struct meta_dataset_source *, struct meta_error *);
/* Takes image i from the file, if the image's own file is as it was; 0: it is to be decoded. May be
   called from several threads, for one image each; so may the next one. */
int meta_job_cache_take(struct meta_job *, int i);
/* Image i was decoded. */
void meta_job_cache_decoded(struct meta_job *, int i);
/* Writes the file anew where images were decoded, and leaves the data set's note. */
void meta_job_cache_write(struct meta_job *);
void meta_job_cache_clear(struct meta_job *);

#endif
