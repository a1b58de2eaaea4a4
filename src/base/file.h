/* Files written whole or not at all. */
#ifndef META_FILE_H
#define META_FILE_H

#include <stddef.h>
#include "error.h"

struct meta_chunk { const void *data; size_t size; };
/* Writes the chunks to PATH.tmp.PID, fsyncs, renames to path, fsyncs the folder; on failure removes the temporary
   file, leaves `path` as it was, and says which step failed. Of a link, what it points to is replaced; the mode stays. */
int meta_file_write(const char *path, const struct meta_chunk *chunks, int count, struct meta_error *);

/* Whether such a file could be written, as far as can be told beforehand: what takes hours to make should have a place to go. */
int meta_file_check(const char *path, struct meta_error *);

/* Reads a whole regular file; the caller frees *data, which has a zero byte after its size bytes. */
int meta_file_read(const char *path, char **data, size_t *size, struct meta_error *);

#endif
