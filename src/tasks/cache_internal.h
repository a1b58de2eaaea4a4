/* The layout of a cache file, in the byte order of the machine that wrote it: the header, an entry
   for each image, their paths one behind the other with a zero byte behind each, zero bytes up to a
   multiple of 64, and the pixels of each image, which begin at a multiple of 64. */
#ifndef META_CACHE_INTERNAL_H
#define META_CACHE_INTERNAL_H

#include "cache.h"

#define META_CACHE_MAGIC "darknet meta image cache\n"
enum {
    META_CACHE_VERSION = 1, /* to be raised when the layout changes */
    META_CACHE_ORDER = 0x01020304,
    META_CACHE_ALIGN = 64
};

struct meta_cache_header {
    char magic[32];
    uint32_t order, version;
    struct meta_digest key;
    uint64_t bytes; /* of the file */
    uint32_t count, channels;
    uint64_t names;            /* bytes of the paths */
    struct meta_digest index;  /* of the entries and the paths */
    struct meta_digest header; /* of all of this before it */
};

struct meta_cache_entry {
    struct meta_file_state state;
    struct meta_digest digest;
    uint64_t name;   /* where its path begins, from that of the first */
    uint64_t pixels; /* where they begin, from the beginning of the file */
    uint64_t sum;
    int32_t w, h, largest;
    uint8_t plain, scaled, zero[2];
};

_Static_assert(sizeof(struct meta_cache_header) == 136, "the layout has no gaps");
_Static_assert(sizeof(struct meta_cache_entry) == 112, "the layout has no gaps");

#endif
