/* Digests of bytes, of memory and of files, by libxxhash. */
#include "digest.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct meta_digest meta_digest(const void *data, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(data, size);
    return (struct meta_digest){ size, hash.high64, hash.low64 };
}

struct meta_digest meta_digest_add(struct meta_digest sum, const void *data, size_t size)
{
    struct meta_digest two[2] = { sum, meta_digest(data, size) },
                       all = meta_digest(two, sizeof two);
    all.bytes = sum.bytes + size;
    return all;
}

int meta_digest_file(struct meta_digest *digest, const char *path, struct meta_error *error)
{
    char *data;
    size_t size;
    if (meta_file_read(path, &data, &size, error)) return -1;
    *digest = meta_digest(data, size);
    free(data);
    return 0;
}

int meta_digest_order(const void *x, const void *y)
{
    const struct meta_digest *a = x, *b = y;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? 1 : -1;
    if (a->high != b->high) return a->high > b->high ? 1 : -1;
    return (a->low > b->low) - (a->low < b->low);
}

void meta_digest_text(char text[META_DIGEST_TEXT], struct meta_digest d)
{
    snprintf(text, META_DIGEST_TEXT, "%016llx%016llx", (unsigned long long)d.high,
             (unsigned long long)d.low);
}

int meta_digest_parse(struct meta_digest *d, const char *text)
{
    char high[17] = "";
    if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32) return -1;
    memcpy(high, text, 16);
    *d = (struct meta_digest){ 0, strtoull(high, NULL, 16), strtoull(text + 16, NULL, 16) };
    return 0;
}
