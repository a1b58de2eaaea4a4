/* Text that is written as a stream, and kept. */
#ifndef META_TEXT_H
#define META_TEXT_H

#include <stdio.h>
#include "error.h"

struct meta_text { FILE *file; char *bytes; size_t size; };      /* bytes: its own; size: from the end on */

int meta_text_begin(struct meta_text *, struct meta_error *);
/* Ends it, whatever `status` the writing had: with 0 and memory for it all *bytes are its bytes and a zero byte, which the caller frees; else NULL. */
int meta_text_end(struct meta_text *, int status, char **bytes, struct meta_error *);
/* Ends it as a file, written whole or not at all (file.h). */
int meta_text_write(struct meta_text *, int status, const char *path, struct meta_error *);

#endif
