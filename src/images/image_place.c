/* Takes the number of an image off a path, and tells images of one file apart. */
#include "image_place.h"
#include "base/path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_DIGITS = 9 };

size_t meta_image_place_length(const char *path)
{
    size_t n = strlen(path), at = n;
    if (!n || path[n - 1] != ']') return n;
    for (at = n - 1; at > 0 && path[at - 1] >= '0' && path[at - 1] <= '9';) at--;
    if (at == n - 1 || n - 1 - at > MOST_DIGITS || at < 2 || path[at - 1] != '[') return n;
    return path[at - 2] == '/' ? n : at - 1;
}

size_t meta_image_stem_length(const char *path)
{
    const char *name = meta_path_base(path);
    size_t file = meta_image_place_length(name), stem = meta_path_stem_length(name);
    if (stem >= file || stem + 1 + strspn(name + stem + 1, "0123456789") == file) return file;
    return stem;
}

int meta_image_place_find(struct meta_image_place *place, const char *path,
                          struct meta_error *error)
{
    struct stat info;
    size_t n = meta_image_place_length(path);
    int numbered = path[n] && stat(path, &info);
    *place = (struct meta_image_place){ .file = numbered ? strndup(path, n) : strdup(path),
                                        .frame = numbered ? atoi(path + n + 1) : 0 };
    return place->file ? 0 : meta_fail_memory_for(error, path);
}

struct meta_digest meta_image_place_digest(struct meta_digest file, int frame)
{
    int32_t number = frame;
    if (number) file.low = meta_digest_add(file, &number, sizeof number).low;
    return file;
}

int meta_image_file_order(const struct meta_digest *a, const struct meta_digest *b)
{
    const struct meta_digest x = { a->bytes, a->high, 0 }, y = { b->bytes, b->high, 0 };
    return meta_digest_order(&x, &y);
}
