/* Where an image lies: a file, and of a file with several images the number of one. */
#ifndef META_IMAGE_PLACE_H
#define META_IMAGE_PLACE_H

#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

/* FILE[N] is image number N, from 0, of a file with several pages or frames: the way ImageMagick
   writes it. A file whose own name ends so, and that is there, is meant itself. */
struct meta_image_place {
    char *file; /* the caller frees */
    int frame;  /* 0 where the path has no number */
};

/* Fails without memory alone. */
int meta_image_place_find(struct meta_image_place *, const char *path, struct meta_error *);
/* The length of the file's name in `path`: all of it, but for such a number, whether or not a file
   of the whole name is there. */
size_t meta_image_place_length(const char *path);
/* The length of the file's last name without its extension and such a number. Digits alone are no
   extension: of names that are UIDs they tell the files apart. */
size_t meta_image_stem_length(const char *path);

/* What the image is told by: the digest of its file's bytes. Of an image behind the first one it
   has another lower half, made of that and the number, so that it shows the file, too. */
struct meta_digest meta_image_place_digest(struct meta_digest file, int frame);
/* Compares two such digests by their files alone, as meta_digest_order does; 0: they are of the
   same bytes. */
int meta_image_file_order(const struct meta_digest *, const struct meta_digest *);

#endif
