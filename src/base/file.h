/* Files written whole or not at all. */
#ifndef META_FILE_H
#define META_FILE_H

#include <stddef.h>
#include "error.h"

struct meta_chunk {
    const void *data;
    size_t size;
};
/* Writes the chunks to PATH.tmp.PID.N, syncs it, renames it to `path` and syncs the folder. On
   failure the temporary file is removed, `path` stays as it was, and the message says which step
   failed; but a folder that can't be synced is a failure, too, of a file that is in place. Where
   `path` is a link, the file that it points to is replaced, or made. The mode of a file that was
   there stays. */
int meta_file_write(const char *path, const struct meta_chunk *chunks, int count,
                    struct meta_error *);

/* The same in parts, for a file that memory need not hold: begun, put together, and then ended,
   which frees it, also after a failure, or dropped, so that `path` stays as it was. NULL may be
   dropped. An end that fails leaves `path` as it was, too, unless its folder can't be synced: then
   the new file is in place, and may be lost in a power cut. */
struct meta_new_file;
int meta_new_file(struct meta_new_file **, const char *path, struct meta_error *);
int meta_new_file_put(struct meta_new_file *, const void *data, size_t size, struct meta_error *);
/* Begins it and puts the chunks into it; NULL after a failure. */
int meta_new_file_of(struct meta_new_file **, const char *path, const struct meta_chunk *chunks,
                     int count, struct meta_error *);
int meta_new_file_end(struct meta_new_file *, struct meta_error *);
void meta_new_file_drop(struct meta_new_file *);
/* Brings all bytes to the disk, behind which nothing may be put: what is left to its end are
   renames and a folder's sync. Where several files belong together, one that has no room then fails
   before another is renamed. */
int meta_new_file_sync(struct meta_new_file *, struct meta_error *);
/* Where its bytes are until it is ended; valid as long as the file is not. */
const char *meta_new_file_temporary(const struct meta_new_file *);
/* Ends two that belong together: both are on the disk before either is renamed, one right after the
   other. On failure both paths stay as they were, but for a rename that fails behind the first one:
   that of a path where nothing was is undone. A folder that can't be synced is a failure, too, of
   two files that are in place. */
int meta_new_file_end_two(struct meta_new_file *first, struct meta_new_file *second,
                          struct meta_error *);

/* Fails when `path`, or the name of its temporary file, is too long. The folder may be missing. */
int meta_file_check_name(const char *path, struct meta_error *);
/* Fails when meta_file_write to `path` could not succeed, as far as that shows beforehand: ask
   before hours of work. */
int meta_file_check(const char *path, struct meta_error *);

/* Reads a whole regular file. *data has a zero byte after its *size bytes; the caller frees it. */
int meta_file_read(const char *path, char **data, size_t *size, struct meta_error *);

#endif
