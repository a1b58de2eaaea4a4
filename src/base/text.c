/* Collects text that is written to a stream, in memory or for a file. */
#define _GNU_SOURCE
#include "text.h"
#include "file.h"

#include <stdlib.h>

int meta_text_begin(struct meta_text *t, struct meta_error *error)
{
    *t = (struct meta_text){ 0 };
    t->file = open_memstream(&t->bytes, &t->size);
    return t->file ? 0 : meta_fail_memory(error);
}

int meta_text_end(struct meta_text *t, int status, char **bytes, struct meta_error *error)
{
    if (fclose(t->file) && !status) status = meta_fail_memory(error);
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
