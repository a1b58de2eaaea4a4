/* Writes the working copy of a list's images: whole, or not at all. */
#define _GNU_SOURCE
#include "cache_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

/* ---- a file without a name ------------------------------------------------------------------- */

/* The file to be: `temporary` is its name until it is whole, NULL where it has none. */
struct draft {
    int fd;
    char *target, *temporary;
    size_t written;
};

/* Removes what runs that were killed have left under names of drafts: a run that is alive holds a
   lock on its own. */
static void remove_left(const char *target)
{
    const char *base = meta_path_base(target);
    size_t n = strlen(base);
    char *folder = meta_path_folder(target);
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, base, n) || strncmp(e->d_name + n, ".tmp.", 5)) continue;
        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) continue;
        if (!flock(fd, LOCK_EX | LOCK_NB)) unlinkat(dirfd(d), e->d_name, 0);
        close(fd);
    }
    if (d) closedir(d);
    free(folder);
}

static int open_named(struct draft *f)
{
    remove_left(f->target);
    if (asprintf(&f->temporary, "%s.tmp.%ld", f->target, (long)getpid()) < 0) {
        f->temporary = NULL;
        errno = ENOMEM;
        return -1;
    }
    f->fd = open(f->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        free(f->temporary);
        f->temporary = NULL;
        return -1;
    }
    return flock(f->fd, LOCK_EX | LOCK_NB);
}

/* Where `path` is a link, the file that it points to is replaced, or made. */
static int open_draft(struct draft *f, const char *path)
{
    *f = (struct draft){ .fd = -1, .target = meta_path_target(path) };
    char *folder = f->target ? meta_path_folder(f->target) : NULL;
    if (!folder) return -1;
    f->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    free(folder);
    if (f->fd >= 0) return 0;
    return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ? open_named(f) : -1;
}

static void close_draft(struct draft *f)
{
    if (f->fd >= 0) close(f->fd);
    if (f->temporary) unlink(f->temporary);
    free(f->temporary);
    free(f->target);
}

/* Gives the file its name. Without one before, the old file is removed first: in between there is
   none, which costs a run that begins just then the time of decoding. Where another run has put
   its own file there in between, that one stays: both are whole. */
static int name_draft(struct draft *f)
{
    if (f->temporary) {
        if (rename(f->temporary, f->target)) return -1;
        free(f->temporary);
        f->temporary = NULL;
        return 0;
    }
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", f->fd);
    if (unlink(f->target) && errno != ENOENT) return -1;
    return linkat(AT_FDCWD, own, AT_FDCWD, f->target, AT_SYMLINK_FOLLOW) && errno != EEXIST ? -1
                                                                                            : 0;
}

static int append(struct draft *f, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        ssize_t n = write(f->fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        p += n;
        size -= (size_t)n;
        f->written += (size_t)n;
    }
    return 0;
}

static size_t aligned(size_t n)
{
    return (n + META_CACHE_ALIGN - 1) / META_CACHE_ALIGN * META_CACHE_ALIGN;
}

static int pad(struct draft *f)
{
    static const char zeros[META_CACHE_ALIGN];
    return append(f, zeros, aligned(f->written) - f->written);
}

/* ---- the contents ---------------------------------------------------------------------------- */

static size_t bytes_of(const struct meta_cache_image *image, const struct meta_cache_kind *kind)
{
    return (size_t)image->w * (size_t)image->h * (size_t)kind->channels;
}

/* Makes the header, the entries and the paths, one behind the other, in *index, which has `size`
   bytes; the caller frees. -1: no memory. */
static int make_index(char **index, size_t *size, const struct meta_cache_kind *kind,
                      const struct meta_cache_image *images, int count)
{
    struct meta_cache_header h = { .magic = META_CACHE_MAGIC,
                                   .order = META_CACHE_ORDER,
                                   .version = META_CACHE_VERSION,
                                   .key = kind->key,
                                   .count = (uint32_t)count,
                                   .channels = (uint32_t)kind->channels };
    size_t entries = (size_t)count * sizeof(struct meta_cache_entry);
    for (int i = 0; i < count; i++) h.names += strlen(images[i].path) + 1;
    *size = sizeof h + entries + h.names;
    if (!(*index = calloc(1, *size))) return -1;
    struct meta_cache_entry *e = (struct meta_cache_entry *)(*index + sizeof h);
    char *names = (char *)e + entries, *name = names;
    h.bytes = *size;
    for (int i = 0; i < count; i++) {
        const struct meta_cache_image *image = &images[i];
        h.bytes = aligned(h.bytes);
        e[i] = (struct meta_cache_entry){ .state = image->state,
                                          .digest = image->digest,
                                          .name = (uint64_t)(name - names),
                                          .pixels = h.bytes,
                                          .sum = image->sum,
                                          .w = image->w,
                                          .h = image->h,
                                          .largest = image->largest,
                                          .plain = image->plain,
                                          .scaled = image->scaled };
        h.bytes += bytes_of(image, kind);
        name = stpcpy(name, image->path) + 1;
    }
    h.index = meta_digest(e, entries + h.names);
    h.header = meta_digest(&h, offsetof(struct meta_cache_header, header));
    memcpy(*index, &h, sizeof h);
    return 0;
}

/* Room is asked for first, so that a disk without it is not filled up. */
static int write_all(struct draft *f, const char *index, size_t size,
                     const struct meta_cache_kind *kind, const struct meta_cache_image *images)
{
    const struct meta_cache_header *h = (const struct meta_cache_header *)index;
    if (fallocate(f->fd, 0, 0, (off_t)h->bytes) && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    if (append(f, index, size)) return -1;
    for (uint32_t i = 0; i < h->count; i++)
        if (pad(f) || append(f, images[i].pixels, bytes_of(&images[i], kind))) return -1;
    return 0;
}

int meta_cache_write(const char *path, const struct meta_cache_kind *kind,
                     const struct meta_cache_image *images, int count, size_t *bytes,
                     struct meta_error *why)
{
    char *index = NULL;
    size_t size;
    struct draft f;
    struct stat info;
    if (!stat(path, &info) && !S_ISREG(info.st_mode))
        return meta_fail(why, "something else has its name");
    int failed = open_draft(&f, path) || make_index(&index, &size, kind, images, count)
        || write_all(&f, index, size, kind, images) || name_draft(&f);
    if (failed) meta_fail(why, "%s", strerror(errno));
    *bytes = f.written;
    free(index);
    close_draft(&f);
    return failed ? -1 : 0;
}
