/* Collects text that is written to a stream, in memory or for a file. The stream is a cookie of
   ours: open_memstream may take a failed allocation for success and drop what was written. */
#define _GNU_SOURCE
#include "text.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

static ssize_t append(void *cookie, const char *data, size_t size)
{
    struct meta_text *t = cookie;
    if (t->failed) return 0;
    if (size >= t->room - t->size) {
        size_t room = 2 * (t->size + size) + 256;
        char *grown = room > t->size + size ? realloc(t->bytes, room) : NULL;
        if (!grown) {
            t->failed = 1;
            return 0;
        }
        t->bytes = grown;
        t->room = room;
    }
    memcpy(t->bytes + t->size, data, size);
    t->bytes[t->size += size] = 0;
    return (ssize_t)size;
}

int meta_text_begin(struct meta_text *t, struct meta_error *error)
{
    *t = (struct meta_text){ .bytes = calloc(1, 256), .room = 256 };
    if (t->bytes) t->file = fopencookie(t, "w", (cookie_io_functions_t){ .write = append });
    if (t->file) return 0;
    free(t->bytes);
    return meta_fail_memory(error);
}

int meta_text_end(struct meta_text *t, int status, char **bytes, struct meta_error *error)
{
    int lost = ferror(t->file);
    lost |= fclose(t->file);
    if (!status && (lost || t->failed)) status = meta_fail_memory(error);
    if (status) free(t->bytes);
    *bytes = status ? NULL : t->bytes;
    return status;
}

int meta_text_write(struct meta_text *t, int status, const char *path, struct meta_error *error)
{
    char *bytes;
    status = meta_text_end(t, status, &bytes, error);
    if (!status) status = meta_file_write(path, &(struct meta_chunk){ bytes, t->size }, 1, error);
    free(bytes);
    return status;
}

int meta_text_new_file(struct meta_text *t, int status, struct meta_new_file **file,
                       const char *path, struct meta_error *error)
{
    char *bytes;
    *file = NULL;
    status = meta_text_end(t, status, &bytes, error);
    const struct meta_chunk chunk = { bytes, t->size };
    if (!status) status = meta_new_file_of(file, path, &chunk, 1, error);
    free(bytes);
    return status;
}
