/* Reads the working copy of a list's images. Nothing of the file is believed before it is checked:
   the header and the list of images by digests and bounds when it is opened, pixels by whoever
   takes them. */
#define _GNU_SOURCE
#include "cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "images/image.h"

struct meta_cache {
    const unsigned char *data; /* (size) */
    size_t size;
    int mapped;                             /* 1: to be unmapped */
    const struct meta_cache_header *header; /* into data, like the next ones */
    const struct meta_cache_entry *entry;   /* (count) */
    const char *names;
};

uint64_t meta_cache_sum(const void *pixels, size_t size) { return XXH3_64bits(pixels, size); }

static size_t bytes_of(const struct meta_cache_entry *e, uint32_t channels)
{
    return (size_t)e->w * (size_t)e->h * channels;
}

static int check_header(const struct meta_cache_header *h, size_t size,
                        const struct meta_cache_kind *kind, struct meta_error *why)
{
    static const char magic[sizeof h->magic] = META_CACHE_MAGIC;
    if (size < sizeof *h) return meta_fail(why, "is cut short");
    if (memcmp(h->magic, magic, sizeof magic)) return meta_fail(why, "has no header");
    if (h->order != META_CACHE_ORDER) return meta_fail(why, "is of a machine of other byte order");
    if (h->version != META_CACHE_VERSION) return meta_fail(why, "is of another version");
    if (!meta_digest_equal(h->header, meta_digest(h, offsetof(struct meta_cache_header, header))))
        return meta_fail(why, "has a damaged header");
    if (!meta_digest_equal(h->key, kind->key) || (int)h->channels != kind->channels)
        return meta_fail(why, "was made by other means of decoding");
    if (h->bytes > size) return meta_fail(why, "is cut short");
    if (h->bytes < size) return meta_fail(why, "has bytes behind its end");
    return 0;
}

/* Whether the image lies inside the file, and has a path. */
static int is_inside(const struct meta_cache *c, const struct meta_cache_entry *e)
{
    const struct meta_cache_header *h = c->header;
    if (e->w < 1 || e->h < 1 || (uint64_t)e->w > META_IMAGE_MOST_PIXELS / (uint64_t)e->h
        || e->largest < 0 || e->plain > 1 || e->scaled > 1)
        return 0;
    size_t bytes = bytes_of(e, h->channels);
    return e->pixels <= c->size && bytes <= c->size - e->pixels && e->name < h->names;
}

static int check_index(struct meta_cache *c, struct meta_error *why)
{
    const struct meta_cache_header *h = c->header;
    size_t rest = c->size - sizeof *h;
    if (h->count > rest / sizeof *c->entry) return meta_fail(why, "has a damaged list of images");
    size_t entries = h->count * sizeof *c->entry;
    if (h->names > rest - entries) return meta_fail(why, "has a damaged list of images");
    c->entry = (const struct meta_cache_entry *)(c->data + sizeof *h);
    c->names = (const char *)c->entry + entries;
    if (!meta_digest_equal(h->index, meta_digest(c->entry, entries + h->names)) || !h->names
        || c->names[h->names - 1])
        return meta_fail(why, "has a damaged list of images");
    for (uint32_t i = 0; i < h->count; i++)
        if (!is_inside(c, &c->entry[i])) return meta_fail(why, "has a damaged list of images");
    return 0;
}

int meta_cache_parse(struct meta_cache **out, const void *data, size_t size,
                     const struct meta_cache_kind *kind, struct meta_error *why)
{
    *out = NULL;
    if (check_header(data, size, kind, why)) return -1;
    struct meta_cache *c = calloc(1, sizeof *c);
    if (!c) return meta_fail(why, "can't be read: %s", strerror(errno)); /* the run goes on */
    c->data = data;
    c->size = size;
    c->header = data;
    if (check_index(c, why)) {
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

int meta_cache_open(struct meta_cache **out, const char *path, const struct meta_cache_kind *kind,
                    struct meta_error *why)
{
    struct stat info;
    void *data;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would hang us */
    if (fd < 0 && errno == ENOENT) return 0;
    if (fd < 0 || fstat(fd, &info)) {
        meta_fail(why, "can't be read: %s", strerror(errno));
        goto fail;
    }
    if (!S_ISREG(info.st_mode)) {
        meta_fail(why, "is not a regular file");
        goto fail;
    }
    if (!info.st_size) {
        meta_fail(why, "is cut short");
        goto fail;
    }
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        meta_fail(why, "can't be read: %s", strerror(errno));
        goto fail;
    }
    close(fd);
    if (meta_cache_parse(out, data, (size_t)info.st_size, kind, why)) {
        munmap(data, (size_t)info.st_size);
        return -1;
    }
    (*out)->mapped = 1;
    madvise(data, (size_t)info.st_size, MADV_WILLNEED);
    return 0;
fail:
    if (fd >= 0) close(fd);
    return -1;
}

void meta_cache_close(struct meta_cache *c)
{
    if (!c) return;
    if (c->mapped) munmap((void *)c->data, c->size);
    free(c);
}

int meta_cache_count(const struct meta_cache *c) { return (int)c->header->count; }

struct meta_cache_image meta_cache_image(const struct meta_cache *c, int i)
{
    const struct meta_cache_entry *e = &c->entry[i];
    return (struct meta_cache_image){ .path = c->names + e->name,
                                      .state = e->state,
                                      .digest = e->digest,
                                      .w = e->w,
                                      .h = e->h,
                                      .largest = e->largest,
                                      .plain = e->plain,
                                      .scaled = e->scaled,
                                      .pixels = c->data + e->pixels,
                                      .sum = e->sum };
}

int meta_cache_holds(const struct meta_cache *c, const void *pixels)
{
    uintptr_t at = (uintptr_t)pixels, begin = c ? (uintptr_t)c->data : 0;
    return c && at >= begin && at - begin < c->size;
}

/* ---- paths ----------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b, void *cache)
{
    const struct meta_cache *c = cache;
    return strcmp(c->names + c->entry[*(const int *)a].name,
                  c->names + c->entry[*(const int *)b].name);
}

/* The place in `order` of the path; -1: there is none. */
static int search(const struct meta_cache *c, const int *order, const char *path)
{
    int low = 0, high = meta_cache_count(c);
    while (low < high) {
        int middle = low + (high - low) / 2,
            sign = strcmp(c->names + c->entry[order[middle]].name, path);
        if (!sign) return middle;
        if (sign < 0) low = middle + 1;
        else high = middle;
    }
    return -1;
}

/* Most often the list is that which the file was made of; an order is made where it is not. */
int meta_cache_find(const struct meta_cache *c, char *const *paths, int count, int *found)
{
    int n = meta_cache_count(c), *order = NULL;
    for (int i = 0; i < count; i++) {
        found[i] = i;
        if (i < n && !strcmp(c->names + c->entry[i].name, paths[i])) continue;
        if (!order) {
            if (!(order = malloc(((size_t)n + 1) * sizeof *order))) return -1;
            for (int k = 0; k < n; k++) order[k] = k;
            qsort_r(order, (size_t)n, sizeof *order, by_path, (void *)c);
        }
        int at = search(c, order, paths[i]);
        found[i] = at < 0 ? -1 : order[at];
    }
    free(order);
    return 0;
}
