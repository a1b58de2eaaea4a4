/* What a file is, whatever it is called. */
#ifndef META_DIGEST_H
#define META_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

/* The number of bytes and their XXH3-128 (xxhash.com), the two halves of what `xxh128sum` prints.
   Bytes of the same digest are taken for the same bytes; no accident makes 128 bits agree. {0}: of
   nothing that could be read. */
struct meta_digest {
    uint64_t bytes, high, low;
};

struct meta_digest meta_digest(const void *data, size_t size);
/* The digest of what `sum` stands for, {0} at first, and of one thing more, in order. It is not
   that of the bytes one behind the other. */
struct meta_digest meta_digest_add(struct meta_digest sum, const void *data, size_t size);
int meta_digest_file(struct meta_digest *, const char *path, struct meta_error *);

/* Compares two struct meta_digest, for qsort and bsearch. */
int meta_digest_order(const void *, const void *);
static inline int meta_digest_equal(struct meta_digest a, struct meta_digest b)
{
    return !meta_digest_order(&a, &b);
}

/* 32 hexadecimal digits, as `xxh128sum` prints them. */
enum { META_DIGEST_TEXT = 33 };
void meta_digest_text(char text[META_DIGEST_TEXT], struct meta_digest);
/* Reads such a text, and nothing else: 0, or -1. The number of bytes is then 0. */
int meta_digest_parse(struct meta_digest *, const char *text);

#endif
