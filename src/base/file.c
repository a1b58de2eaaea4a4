/* Writes files whole or not at all, by a temporary file beside them, and reads them whole. */
#define _GNU_SOURCE
#include "file.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A rename lasts through a power cut only once its folder is on the disk. */
static int sync_folder(const char *path)
{
    char *folder = meta_path_folder(path);
    if (!folder) return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = 0;
    free(folder);
    if (fd < 0) return errno == EACCES ? 0 : -1; /* a folder that may be written but not listed */
    if (fsync(fd) && errno != EINVAL && errno != EROFS) status = -1;
    int kept = errno;
    close(fd);
    errno = kept;
    return status;
}

/* Numbers the temporary files, since two threads may write one file at a time. */
static atomic_uint written;

/* Creates a new file: never one, or a link, that somebody put there. What an earlier process of our
   number left is replaced. */
static int create(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fd = open(path, flags, 0666);
    return fd < 0 && errno == EEXIST && !unlink(path) ? open(path, flags, 0666) : fd;
}

/* The name of a file that is written before it is renamed to `path`. The caller frees; NULL: no
   memory. */
static char *temporary_name(const char *path, unsigned number)
{
    char *name;
    return asprintf(&name, "%s.tmp.%ld.%u", path, (long)getpid(), number) < 0 ? NULL : name;
}

struct meta_new_file {
    const char *step; /* what is done, for the message of a failure */
    char *path;       /* as the caller has named it */
    char *target;     /* what it is a link to, or itself */
    char *temporary;
    int fd, made; /* made: the temporary file is there */
    int replaces; /* a file that was there */
};

static int fail(struct meta_new_file *f, struct meta_error *error)
{
    return meta_fail(error, "%s: %s: %s", f->path, f->step, strerror(errno));
}

void meta_new_file_drop(struct meta_new_file *f)
{
    if (!f) return;
    if (f->fd >= 0) close(f->fd);
    if (f->made) unlink(f->temporary);
    free(f->path);
    free(f->target);
    free(f->temporary);
    free(f);
}

int meta_new_file(struct meta_new_file **out, const char *path, struct meta_error *error)
{
    struct stat old;
    int there = !stat(path, &old);
    *out = NULL;
    /* Renaming over a device or a pipe would put a plain file in its place; over a link, a file
       beside its target. */
    if (there && !S_ISREG(old.st_mode))
        return meta_fail(error, "%s: is not a regular file: nothing was written", path);
    struct meta_new_file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path))) {
        free(f);
        return meta_fail_memory_for(error, path);
    }
    f->step = "can't create";
    f->fd = -1;
    f->replaces = there;
    if (!(f->target = meta_path_target(path))) goto fail;
    if (!(f->temporary = temporary_name(f->target, atomic_fetch_add(&written, 1)))) goto fail;
    if ((f->fd = create(f->temporary)) < 0) goto fail;
    f->made = 1;
    f->step = "can't write";
    if (there && fchmod(f->fd, old.st_mode & 0777) && errno != EPERM) goto fail;
    *out = f;
    return 0;
fail:
    fail(f, error);
    meta_new_file_drop(f);
    return -1;
}

int meta_new_file_put(struct meta_new_file *f, const void *data, size_t size,
                      struct meta_error *error)
{
    return write_all(f->fd, data, size) ? fail(f, error) : 0;
}

int meta_new_file_of(struct meta_new_file **out, const char *path, const struct meta_chunk *chunks,
                     int count, struct meta_error *error)
{
    if (meta_new_file(out, path, error)) return -1;
    for (int i = 0; i < count; i++) {
        if (!meta_new_file_put(*out, chunks[i].data, chunks[i].size, error)) continue;
        meta_new_file_drop(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

const char *meta_new_file_temporary(const struct meta_new_file *f) { return f->temporary; }

int meta_new_file_sync(struct meta_new_file *f, struct meta_error *error)
{
    if (f->fd < 0) return 0;
    f->step = "can't sync to the disk";
    if (fsync(f->fd) && errno != EINVAL) return fail(f, error);
    f->step = "can't close";
    int closed = close(f->fd);
    f->fd = -1;
    return closed ? fail(f, error) : 0;
}

static int put_in_place(struct meta_new_file *f, struct meta_error *error)
{
    f->step = "can't rename the temporary file";
    if (rename(f->temporary, f->target)) return fail(f, error);
    f->made = 0;
    return 0;
}

static int sync_place(struct meta_new_file *f, struct meta_error *error)
{
    f->step = "can't sync its folder to the disk";
    return sync_folder(f->target) ? fail(f, error) : 0;
}

int meta_new_file_end(struct meta_new_file *f, struct meta_error *error)
{
    int status = meta_new_file_sync(f, error) || put_in_place(f, error) || sync_place(f, error) ? -1
                                                                                                : 0;
    meta_new_file_drop(f);
    return status;
}

int meta_new_file_end_two(struct meta_new_file *first, struct meta_new_file *second,
                          struct meta_error *error)
{
    int status = meta_new_file_sync(first, error) || meta_new_file_sync(second, error)
            || put_in_place(first, error)
        ? -1
        : 0;
    if (!status && (status = put_in_place(second, error)) && !first->replaces)
        unlink(first->target);
    if (!status) status = sync_place(first, error) || sync_place(second, error) ? -1 : 0;
    meta_new_file_drop(first);
    meta_new_file_drop(second);
    return status;
}

int meta_file_write(const char *path, const struct meta_chunk *chunks, int count,
                    struct meta_error *error)
{
    struct meta_new_file *f;
    if (meta_new_file_of(&f, path, chunks, count, error)) return -1;
    return meta_new_file_end(f, error);
}

static int fail_target(const char *path, struct meta_error *error)
{
    if (errno == ENOMEM) return meta_fail_memory_for(error, path);
    return meta_fail(error, "%s: can't write there: %s", path, strerror(errno));
}

int meta_file_check_name(const char *path, struct meta_error *error)
{
    char *target = meta_path_target(path), *name;
    struct stat info;
    if (!target) return fail_target(path, error);
    name = temporary_name(target, 9999999);
    free(target);
    if (!name) return meta_fail_memory_for(error, path);
    size_t length = strlen(meta_path_base(name));
    int fits = length <= NAME_MAX && (!lstat(name, &info) || errno != ENAMETOOLONG);
    free(name);
    if (fits) return 0;
    return meta_fail(error, "%s: the name is too long for a file that is to be written", path);
}

int meta_file_check(const char *path, struct meta_error *error)
{
    if (meta_file_check_name(path, error)) return -1;
    char *target = meta_path_target(path), *folder = target ? meta_path_folder(target) : NULL;
    struct stat info;
    int status = 0;
    free(target);
    if (!folder) return fail_target(path, error);
    if (!stat(path, &info) && !S_ISREG(info.st_mode))
        status = meta_fail(error, "%s: is not a regular file", path);
    else if (stat(folder, &info)
             || (S_ISDIR(info.st_mode) ? access(folder, W_OK | X_OK) : (errno = ENOTDIR)))
        status = meta_fail(error, "%s: can't write there: %s", path, strerror(errno));
    free(folder);
    return status;
}

int meta_file_read(const char *path, char **data, size_t *size, struct meta_error *error)
{
    char *buffer = NULL;
    size_t used = 0, room;
    struct stat info;
    /* Without O_NONBLOCK a pipe would hang us before we refuse it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info)) {
        meta_fail(error, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (!S_ISREG(info.st_mode)) {
        meta_fail(error, "%s: is not a regular file", path);
        goto fail;
    }
    room = (size_t)info.st_size + 1;
    buffer = malloc(room);
    for (;;) {
        if (!buffer) {
            meta_fail_memory_for(error, path);
            goto fail;
        }
        ssize_t n = read(fd, buffer + used, room - used);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            meta_fail(error, "%s: can't read: %s", path, strerror(errno));
            goto fail;
        }
        if (!n) break;
        used += (size_t)n;
        if (used < room) continue;
        char *grown = realloc(buffer, room *= 2);
        if (!grown) free(buffer);
        buffer = grown;
    }
    close(fd);
    buffer[used] = 0;
    *data = buffer;
    *size = used;
    return 0;
fail:
    if (fd >= 0) close(fd);
    free(buffer);
    return -1;
}
