/* The pictures of `meta predict -heat`, which say who has written them. */
#ifndef META_HEAT_FILE_H
#define META_HEAT_FILE_H

#include <stddef.h>

#include "base/error.h"

/* Writes a PNG of `size` bytes, with a note in it. */
int meta_heat_write(const char *path, const unsigned char *png, size_t size, struct meta_error *);
/* Whether a file has that note. */
int meta_heat_is(const char *path);

#endif
