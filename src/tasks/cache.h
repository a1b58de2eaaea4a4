/* The working copy of a list's images as a file: pixels as they are kept in memory, with what is
   known of the files that they were decoded from. The file is nothing but a saving of time. It is
   checked before anything of it is used, and may be removed at any time. */
#ifndef META_CACHE_H
#define META_CACHE_H

#include "base/digest.h"
#include "base/error.h"
#include "file_id.h"

/* What one image of the file is. */
struct meta_cache_image {
    const char *path; /* as the list has it */
    struct meta_file_state state;
    struct meta_digest digest; /* of the image's file */
    int w, h, largest;         /* as in struct meta_dataset, like the next ones */
    unsigned char plain, scaled;
    const unsigned char *pixels; /* (h, w, channels) */
    uint64_t sum;                /* meta_cache_sum of them */
};

/* What all images of a file have in common. */
struct meta_cache_kind {
    struct meta_digest key; /* of what the pixels depend on beside the image's file */
    int channels;           /* 1 or 3 */
};

struct meta_cache;

/* Maps the file into memory and checks all but the pixels: its header, its list of images, that
   it is of this kind, and that nothing of it lies outside of it. *out is NULL where there is no
   such file. Fails, with the reason alone as the message, where it can't be used. The caller
   closes. */
int meta_cache_open(struct meta_cache **out, const char *path, const struct meta_cache_kind *,
                    struct meta_error *why);
/* As above, of a file's bytes in memory, which stay the caller's and begin at a multiple of 8. */
int meta_cache_parse(struct meta_cache **out, const void *data, size_t size,
                     const struct meta_cache_kind *, struct meta_error *why);
void meta_cache_close(struct meta_cache *);

int meta_cache_count(const struct meta_cache *);
/* Image number i. Its pixels point into the file; see meta_cache_sum. */
struct meta_cache_image meta_cache_image(const struct meta_cache *, int i);
/* Finds each of the paths (count) in the file: found (count) gets the image's number, -1 where
   there is none. Fails without memory. */
int meta_cache_find(const struct meta_cache *, char *const *paths, int count, int *found);
/* Whether the pointer is to pixels of the file. */
int meta_cache_holds(const struct meta_cache *, const void *pixels);

/* The check sum of so many bytes of pixels, XXH3-64. */
uint64_t meta_cache_sum(const void *pixels, size_t size);

/* Writes a file of such images in place of the one that is there. It is written without a name,
   which it gets when it is whole: a run that is killed, or a full disk, leaves nothing of it. Where
   the file system can't do so, it is written under PATH.tmp.PID and renamed, and what killed runs
   left of such files is removed. Of runs that write it at the same time one is the last. The disk
   is not waited for: what a power cut damages does not pass the checks. *bytes is its size. Fails
   with the reason alone as the message. */
int meta_cache_write(const char *path, const struct meta_cache_kind *,
                     const struct meta_cache_image *, int count, size_t *bytes,
                     struct meta_error *why);

#endif
