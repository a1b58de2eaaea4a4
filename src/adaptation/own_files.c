/* Tells the files of an adapted network from others by the first line of the .cfg. */
#define _GNU_SOURCE
#include "own_files.h"
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

int meta_own_line(const char *line) { return *line == '#' && strstr(line, META_ADAPTED); }

static int is_adapted(const char *name)
{
    char *line = NULL, *cfg = path_of(name, ".cfg");
    size_t room = 0;
    FILE *f = cfg ? fopen(cfg, "r") : NULL;
    int adapted = f && getline(&line, &room, f) > 0 && meta_own_line(line);
    if (f) fclose(f);
    free(line);
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
