/* Puts a note into the PNG of a picture of the heat, by which it is known again. */
#include "heat_file.h"
#include "base/file.h"
#include "base/head.h"

#include <string.h>

/* A chunk as the PNG specification describes it: length, type, keyword and text, check sum. */
static const char note[] = "\0\0\0\x23"
                           "tEXt"
                           "Software\0"
                           "darknet meta predict -heat"
                           "\xd8\x73\xa0\xe7";

/* It stands behind the signature and the first chunk, which are of these bytes. */
enum { BEFORE = 8 + 25, NOTE = sizeof note - 1 };

int meta_heat_write(const char *path, const unsigned char *png, size_t size,
                    struct meta_error *error)
{
    const struct meta_chunk chunks[] = { { png, BEFORE },
                                         { note, NOTE },
                                         { png + BEFORE, size - BEFORE } };
    return meta_file_write(path, chunks, 3, error);
}

int meta_heat_is(const char *path)
{
    char head[BEFORE + NOTE];
    return meta_head_read(path, head, sizeof head) == sizeof head
        && !memcmp(head + BEFORE, note, NOTE);
}
