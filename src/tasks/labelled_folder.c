/* Reads a folder whose folders are classes: finds every image below them. */
#define _GNU_SOURCE
#include "labelled_internal.h"
#include "file_id.h"
#include "images/image_paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder on the way from the top to the one that is read. */
struct folder {
    const struct folder *above; /* NULL: this is the top */
    const char *path;
    const char *class; /* the class of what lies in it; NULL: of the top */
    size_t below;      /* where in `path` the way below the class's folder begins */
    struct meta_file_id id;
};

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Counts a file, and keeps the path of the first. Takes over the path. */
static int count_file(int *count, char **first, char *path)
{
    if (!(*count)++) *first = path;
    else free(path);
    return 0;
}

static int add_file(struct meta_labelled_reader *r, const struct folder *in, char *path)
{
    struct stat s;
    struct meta_labelled *l = r->set;
    int there = !stat(path, &s);
    if (!meta_path_is_image(path) || (there && !S_ISREG(s.st_mode)))
        return count_file(&l->others, &l->other, path);
    if (!in->class) return count_file(&l->loose, &l->one_loose, path);
    struct meta_labelled_image image = { .path = path, .class = strdup(in->class) };
    int nested = in->above->class != NULL;
    l->nested += nested;
    const char *below = in->path + in->below;
    if (r->by_folder && nested && !(image.group = strndup(below, strcspn(below, "/")))) {
        free(image.class);
        image.class = NULL;
    }
    return meta_labelled_add(r, image);
}

static int read_folder(struct meta_labelled_reader *r, const struct folder *in);

/* Reads a folder of the folder. At the top it is a class, and must have an image. */
static int add_folder(struct meta_labelled_reader *r, const struct folder *in, const char *path,
                      const char *name)
{
    struct folder own = { .above = in, .path = path, .class = in->class ? in->class : name };
    int before = r->count;
    own.below = in->class ? in->below : strlen(path) + 1;
    if (meta_file_id_find(&own.id, path))
        return meta_fail(r->error, "%s: %s", path, strerror(errno));
    for (const struct folder *f = in; f; f = f->above)
        if (!meta_file_id_order(&f->id, &own.id))
            return meta_fail(r->error, "%s: is a link that leads back to %s: remove it", path,
                             f->path);
    if (read_folder(r, &own)) return -1;
    if (in->class || r->count > before) return 0;
    return meta_fail(r->error,
                     "%s: has no image: each folder of %s is a class: put images there, or remove "
                     "it",
                     path, in->path);
}

static int add_entry(struct meta_labelled_reader *r, const struct folder *in, const char *name)
{
    struct stat s;
    char *path;
    if (asprintf(&path, "%s%s%s", in->path, strcmp(in->path, "/") ? "/" : "", name) < 0)
        return meta_fail_memory_for(r->error, in->path);
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) return add_file(r, in, path);
    int status = add_folder(r, in, path, name);
    free(path);
    return status;
}

static int read_folder(struct meta_labelled_reader *r, const struct folder *in)
{
    struct dirent **entries;
    int count = scandir(in->path, &entries, is_visible, by_name), status = 0;
    if (count < 0) return meta_fail(r->error, "%s: %s", in->path, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (!status) status = add_entry(r, in, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int meta_labelled_read_folder(struct meta_labelled_reader *r)
{
    struct meta_labelled *l = r->set;
    struct folder top = { .path = l->from };
    if (!(l->root = strdup(l->from))) return meta_fail_memory_for(r->error, l->from);
    meta_file_id_find(&top.id, l->from);
    if (read_folder(r, &top)) return -1;
    if (r->count) return 0;
    return meta_fail(r->error,
                     "%s: has no folders: must have one a class, of that name, with its images",
                     l->from);
}
