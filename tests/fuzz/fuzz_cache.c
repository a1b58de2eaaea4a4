/* Files of decoded images. What reads them looks at digests first, so that the inputs get the right ones. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "tasks/cache_internal.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

static void seal(struct meta_cache_header *h, size_t size)
{
    size_t rest = size - sizeof *h;
    static const char magic[sizeof h->magic] = META_CACHE_MAGIC;
    memcpy(h->magic, magic, sizeof magic);
    h->order = META_CACHE_ORDER;
    h->version = META_CACHE_VERSION;
    h->bytes = size;
    if (h->count <= rest / sizeof(struct meta_cache_entry) && h->names <= rest - h->count * sizeof(struct meta_cache_entry))
        h->index = meta_digest(h + 1, h->count * sizeof(struct meta_cache_entry) + h->names);
    h->header = meta_digest(h, offsetof(struct meta_cache_header, header));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_cache *c;
    struct meta_error error;
    struct meta_cache_kind kind = { .channels = 1 };
    struct meta_cache_header *h = malloc(size + 1);
    FUZZ_NEED(h);
    memcpy(h, data, size);
    if (size >= sizeof *h) {
        seal(h, size);
        kind = (struct meta_cache_kind){ h->key, (int)h->channels };
    }
    if (size >= sizeof *h && h->channels != 1 && h->channels != 3) kind.channels = h->channels % 2 ? 1 : 3;
    if (!meta_cache_parse(&c, h, size, &kind, &error)) {
        char *paths[] = { "t/images/c0_0.pgm", "", "none" };
        int found[3];
        uint64_t sum = 0;
        for (int i = 0; i < meta_cache_count(c); i++) {
            struct meta_cache_image image = meta_cache_image(c, i);
            sum += meta_cache_sum(image.pixels, (size_t)image.w * (size_t)image.h * (size_t)kind.channels) + strlen(image.path);
        }
        FUZZ_NEED(!meta_cache_find(c, paths, 3, found));
        FUZZ_NEED(found[0] < meta_cache_count(c) && (sum || 1));
        meta_cache_close(c);
    }
    free(h);
    return 0;
}
