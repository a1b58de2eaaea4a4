/* Which files a classifier was adapted to, told by its .cfg: a comment "support DIGEST" for each,
   so that an evaluation knows images that it has learned from, whatever they are called. */
#ifndef META_SUPPORT_FILES_H
#define META_SUPPORT_FILES_H

#include <stdio.h>

#include "tasks/dataset.h"

/* Writes a line "support DIGEST" for each image of the data set. */
void meta_support_files_note(FILE *, const struct meta_dataset *);
/* Reads these lines of a .cfg: digests (count), ascending, whose numbers of bytes are 0. None where
   the .cfg has none. The caller frees. */
int meta_support_files_read(struct meta_digest **, int *count, const char *cfg,
                            struct meta_error *);
/* Whether an image's digest is one of them; whether one is of the image's file, be it of another
   page or frame. */
int meta_support_files_has(const struct meta_digest *, int count, struct meta_digest);
int meta_support_files_has_file(const struct meta_digest *, int count, struct meta_digest);

#endif
