/* Tells the files of an adapted network from others by the first line of the .cfg. */
#define _GNU_SOURCE
#include "own_files.h"
#include "base/head.h"
#include "base/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *path_of(const char *name, const char *end)
{
    char *path;
    return asprintf(&path, "%s%s", name, end) < 0 ? NULL : path;
}

/* What stands behind `before`, digits and `after`; NULL: nowhere do they. */
static const char *behind_number(const char *text, const char *before, const char *after)
{
    for (; (text = strstr(text, before)); text++) {
        const char *digits = text + strlen(before), *end = digits + strspn(digits, "0123456789");
        if (end > digits && !strncmp(end, after, strlen(after))) return end + strlen(after);
    }
    return NULL;
}

static int ends_with(const char *text, const char *end)
{
    size_t size = strcspn(text, "\r\n"), n = strlen(end);
    return size >= n && !strncmp(text + size - n, end, n);
}

/* People's own comments may say "adapted to our scanners". */
int meta_own_line(const char *line)
{
    if (*line != '#') return 0;
    const char *images = behind_number(line, META_ADAPTED, " images of ");
    return (images && behind_number(images, ": ", " steps at "))
        || ends_with(line, META_ADAPTED_IN_MEMORY);
}

static int is_adapted(const char *name)
{
    char line[16384], *cfg = path_of(name, ".cfg"); /* room for three paths */
    int adapted = cfg && meta_own_line(meta_head_line(cfg, line, sizeof line));
    free(cfg);
    return adapted;
}

int meta_own_files_there(const char *name, const char *end)
{
    char *path = path_of(name, end);
    int there = path && !access(path, F_OK);
    free(path);
    return there;
}

/* Whether a run was killed while it wrote the files, or is about to write them. */
static int was_writing(const char *name)
{
    char *lock = path_of(name, ".lock");
    int noted = lock && meta_lock_has_note(lock);
    free(lock);
    return noted;
}

const char *meta_own_files_foreign(const char *name, int onnx)
{
    if (meta_own_files_there(name, ".cfg")) return is_adapted(name) ? NULL : ".cfg";
    if (meta_own_files_there(name, ".weights") && !was_writing(name)) return ".weights";
    return onnx && meta_own_files_there(name, ".onnx") ? ".onnx" : NULL;
}

const char *meta_own_files_beside(const char *name)
{
    static const char *const ends[] = { ".data", ".names", ".onnx" };
    for (int i = 0; i < 3; i++)
        if (meta_own_files_there(name, ends[i])) return ends[i];
    return NULL;
}
