/* Splits paths into folder, name and extension, follows links, and makes folders with the ones
   above them. */
#define _GNU_SOURCE
#include "path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *meta_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int meta_path_ends_in_folder(const char *path)
{
    const char *base = meta_path_base(path);
    return !*base || !strcmp(base, ".") || !strcmp(base, "..");
}

size_t meta_path_stem_length(const char *path)
{
    const char *name = meta_path_base(path), *dot = strrchr(name, '.');
    return dot && dot > name ? (size_t)(dot - name) : strlen(name);
}

char *meta_path_stem(const char *path)
{
    return strndup(meta_path_base(path), meta_path_stem_length(path));
}

char *meta_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, slash - path);
}

/* What the text of a link says, which is relative to the link's folder; takes over `link`. */
static char *follow(char *link, const char *text)
{
    char *folder = meta_path_folder(link), *next = NULL;
    if (*text == '/') next = strdup(text);
    else if (folder && asprintf(&next, "%s/%s", folder, text) < 0) next = NULL;
    free(folder);
    free(link);
    return next;
}

char *meta_path_target(const char *path)
{
    enum { MOST_LINKS = 40 }; /* as in Linux */
    char *target = realpath(path, NULL), text[PATH_MAX];
    if (target) return target;
    target = strdup(path);
    for (int links = 0; target; links++) {
        ssize_t length = readlink(target, text, sizeof text - 1);
        if (length < 0) return target;
        text[length] = 0;
        if (links == MOST_LINKS) break;
        target = follow(target, text);
    }
    if (target) errno = ELOOP;
    free(target);
    return NULL;
}

int meta_path_same(const char *a, const char *b)
{
    char real[2][PATH_MAX], *folder[2] = { meta_path_folder(a), meta_path_folder(b) };
    int same = !strcmp(a, b);
    if (!same && !strcmp(meta_path_base(a), meta_path_base(b)))
        same = folder[0] && folder[1] && realpath(folder[0], real[0])
            && realpath(folder[1], real[1]) && !strcmp(real[0], real[1]);
    free(folder[0]);
    free(folder[1]);
    return same;
}

char *meta_path_beside(const char *path, const char *extension)
{
    size_t stem = (size_t)(meta_path_base(path) - path) + meta_path_stem_length(path);
    char *beside = malloc(stem + strlen(extension) + 1);
    if (!beside) return NULL;
    memcpy(beside, path, stem);
    strcpy(beside + stem, extension);
    return beside;
}

char *meta_path_of_weights(const char *weights, const char *extension)
{
    static const char end[] = ".weights";
    size_t length = strlen(weights), cut = sizeof end - 1;
    if (length > cut && !strcmp(weights + length - cut, end)) length -= cut;
    char *path = malloc(length + strlen(extension) + 1);
    if (!path) return NULL;
    memcpy(path, weights, length);
    strcpy(path + length, extension);
    return path;
}

void meta_path_trim(char *path)
{
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';) path[--n] = 0;
}

/* Makes one folder; *made: how many of these calls have made one. */
static int make(const char *path, int *made)
{
    if (!mkdir(path, 0777)) return ++*made, 0;
    return errno == EEXIST ? 0 : -1;
}

/* Removes the last `count` folders of the path, deepest first, while they are empty. */
static void remove_made(char *path, int count)
{
    for (char *slash; count && !rmdir(path) && (slash = strrchr(path, '/')); count--) *slash = 0;
}

int meta_path_make_folder(const char *folder, struct meta_error *error)
{
    char *path = strdup(folder), *slash = path;
    struct stat info;
    int made = 0, failed;
    if (!path) return meta_fail_memory(error);
    do {
        slash = *slash ? strchr(slash + 1, '/') : NULL;
        if (slash) *slash = 0;
        failed = make(path, &made);
        if (slash && !failed) *slash = '/';
    } while (slash && !failed);
    int reason = errno;
    char *last = failed ? strrchr(path, '/') : NULL; /* what is before it has been made */
    if (last) {
        *last = 0;
        remove_made(path, made);
    }
    free(path);
    if (failed) return meta_fail(error, "%s: can't make the folder: %s", folder, strerror(reason));
    if (!stat(folder, &info) && S_ISDIR(info.st_mode)) return 0;
    return meta_fail(error, "%s: is not a folder", folder);
}
