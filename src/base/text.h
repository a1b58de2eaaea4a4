/* Text that is written to a stream and kept. */
#ifndef META_TEXT_H
#define META_TEXT_H

#include <stdio.h>
#include "error.h"

/* Write to `file`, flush it before `bytes` and `size` are read, and leave the struct where it is:
   the stream points to it. `failed`: there was no memory for all of the text. */
struct meta_text {
    FILE *file;
    char *bytes;
    size_t size, room;
    int failed;
};

int meta_text_begin(struct meta_text *, struct meta_error *);
/* Closes the stream. With status 0, and memory for all that was written, *bytes is the text with a
   zero byte behind it, which the caller frees; else *bytes is NULL and the result is not 0. */
int meta_text_end(struct meta_text *, int status, char **bytes, struct meta_error *);
/* Closes the stream; with status 0 the text becomes the file `path`, written whole or not at all
   (file.h). */
int meta_text_write(struct meta_text *, int status, const char *path, struct meta_error *);
/* The same up to the end: the caller ends *file or drops it; NULL after a failure. */
struct meta_new_file;
int meta_text_new_file(struct meta_text *, int status, struct meta_new_file **file,
                       const char *path, struct meta_error *);

#endif
