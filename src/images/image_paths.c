/* Finds the images that the words of a command line name: folders, lists and files. */
#define _GNU_SOURCE
#include "image_paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/path.h"
#include "image_place.h"

static int ends_in(const char *path, const char *const *endings)
{
    const char *dot = strrchr(path, '.');
    for (; dot && *endings; endings++)
        if (!strcasecmp(dot, *endings)) return 1;
    return 0;
}

/* Whether the name has no ending, or one of digits alone, as names that are DICOM's UIDs have. */
static int has_no_ending(const char *path)
{
    const char *dot = strrchr(meta_path_base(path), '.');
    return !dot || dot[1 + strspn(dot + 1, "0123456789")] == 0;
}

static int is_dicom(const char *path)
{
    char mark[4];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    int found = pread(fd, mark, 4, 128) == 4 && !memcmp(mark, "DICM", 4);
    close(fd);
    return found;
}

int meta_path_is_image(const char *path)
{
    static const char *const endings[] = { ".jpg",  ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".tif",
                                           ".tiff", ".webp", ".jp2", ".j2k", ".j2c", ".dcm", NULL };
    if (!strcasecmp(meta_path_base(path), "DICOMDIR")) return 0; /* the index of a CD's images */
    return ends_in(path, endings) || (has_no_ending(path) && is_dicom(path));
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* Appends the path, which belongs to the array from then on. */
static int append(char ***paths, int *count, char *path, struct meta_error *error)
{
    char **grown = path ? realloc(*paths, (*count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(path);
        return meta_fail(error, "out of memory for %d paths", *count);
    }
    *paths = grown;
    grown[(*count)++] = path;
    return 0;
}

static int add(struct meta_paths *p, char *path, struct meta_error *error)
{
    return append(&p->path, &p->count, path, error);
}

/* An image, or with another ending any file that is no folder. */
static int add_entry(struct meta_paths *p, char *path, struct meta_error *error)
{
    struct stat s;
    if (!path || meta_path_is_image(path)) return add(p, path, error);
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) return append(&p->other, &p->others, path, error);
    free(path);
    return 0;
}

static int add_folder(struct meta_paths *p, const char *folder, struct meta_error *error)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort), status = 0, before = p->count;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--;
    if (count < 0) return meta_fail(error, "%s: %s", folder, strerror(errno));
    p->folders++;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (!status && asprintf(&path, "%.*s/%s", (int)length, folder, entries[i]->d_name) < 0)
            path = NULL;
        if (!status) status = add_entry(p, path, error);
        free(entries[i]);
    }
    free(entries);
    if (!status && p->count == before)
        return meta_fail(error,
                         "%s: has no image: must have files whose names end in " META_IMAGE_ENDINGS,
                         folder);
    return status;
}

static int add_list(struct meta_paths *p, const char *list, struct meta_error *error)
{
    struct meta_lines lines;
    int status = 0;
    if (meta_lines_read(&lines, list, error)) return -1;
    if (!lines.count)
        status = meta_fail(error, "%s: has no images: must have a path on each line", list);
    for (int i = 0; i < lines.count && !status; i++) status = add(p, strdup(lines.line[i]), error);
    meta_lines_free(&lines);
    return status;
}

int meta_paths_find(struct meta_paths *p, char **words, int count, struct meta_error *error)
{
    static const char *const lists[] = { ".list", ".txt", NULL };
    struct stat s;
    *p = (struct meta_paths){ 0 };
    for (int i = 0; i < count; i++) {
        int status = !stat(words[i], &s) && S_ISDIR(s.st_mode) ? add_folder(p, words[i], error)
            : ends_in(words[i], lists)                         ? add_list(p, words[i], error)
                                                               : add(p, strdup(words[i]), error);
        if (status) return -1;
    }
    return 0;
}

void meta_paths_clear(struct meta_paths *p)
{
    for (int i = 0; i < p->count; i++) free(p->path[i]);
    for (int i = 0; i < p->others; i++) free(p->other[i]);
    free(p->path);
    free(p->other);
    *p = (struct meta_paths){ 0 };
}

/* ---- names made of paths --------------------------------------------------------------------- */

/* Behind the extension, the number of an image in its file: "[3]", or nothing. */
static const char *number_of(const char *path) { return path + meta_image_place_length(path); }

/* The last part of the path without extension and number, and the length of that. */
static const char *base(const char *path, int *length)
{
    *length = (int)meta_image_stem_length(path);
    return meta_path_base(path);
}

char *meta_path_name(const char *folder, const char *path, const char *extension)
{
    int length;
    char *out;
    const char *name = base(path, &length);
    return asprintf(&out, "%s/%.*s%s%s", folder, length, name, number_of(path), extension) < 0
        ? NULL
        : out;
}

static int by_base(const void *a, const void *b)
{
    int n, m;
    const char *x = base(*(char *const *)a, &n), *y = base(*(char *const *)b, &m);
    int order = strncmp(x, y, n < m ? n : m);
    if (!order) order = n - m;
    return order ? order : strcmp(number_of(x), number_of(y));
}

int meta_paths_check_names(const struct meta_paths *p, const char *folder, struct meta_error *error)
{
    int status = 0;
    char **sorted = malloc((p->count + 1) * sizeof *sorted);
    if (!sorted) return meta_fail(error, "out of memory for %d paths", p->count);
    memcpy(sorted, p->path, p->count * sizeof *sorted);
    qsort(sorted, p->count, sizeof *sorted, by_base);
    for (int i = 1; i < p->count && !status; i++) {
        if (by_base(&sorted[i - 1], &sorted[i])) continue;
        char *name = meta_path_name(folder, sorted[i], ".png");
        status = meta_fail(error, "%s and %s: would both be %s: must have different names",
                           sorted[i - 1], sorted[i], name ? name : folder);
        free(name);
    }
    free(sorted);
    return status;
}
