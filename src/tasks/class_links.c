/* Makes folders of links to images, one a class. */
#define _GNU_SOURCE
#include "class_links.h"
#include "base/path.h"
#include "file_id.h"
#include "images/image_place.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_taken(char *const *folders, int count, const char *name)
{
    for (int k = 0; k < count; k++)
        if (!strcasecmp(folders[k], name)) return 1;
    return 0;
}

static char *folder_name(char *const *folders, int class, const char *class_name)
{
    char *plain = strdup(class_name), *name = plain ? strdup(plain) : NULL;
    for (char *c = name; c && *c; c++)
        if (*c == '/' || (unsigned char)*c < ' ' || (c == name && *c == '.'))
            *c = plain[c - name] = '_';
    for (int i = 2; name && is_taken(folders, class, name); i++) {
        free(name);
        if (asprintf(&name, "%s-%d", plain, i) < 0) name = NULL;
    }
    free(plain);
    return name;
}

char **meta_class_folders(const struct meta_labelled *l)
{
    char **folders = calloc((size_t)l->classes + 1, sizeof *folders);
    for (int k = 0; folders && k < l->classes; k++)
        if (!(folders[k] = folder_name(folders, k, l->names[k]))) {
            while (k--) free(folders[k]);
            free(folders);
            return NULL;
        }
    return folders;
}

static int is_entry(const struct dirent *e)
{
    return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

/* Empties a folder of links; one that is not there is empty. */
static int clear_folder(const char *folder, int replace, struct meta_error *error)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_entry, NULL), status = 0;
    if (count < 0) return errno == ENOENT ? 0 : meta_fail(error, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        struct stat s;
        char *path;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) path = NULL;
        if (status)
            ;
        else if (!path) status = meta_fail_memory_for(error, folder);
        else if (!replace || lstat(path, &s) || !S_ISLNK(s.st_mode))
            status = meta_fail(error, "%s: is there already: choose another folder%s", path,
                               replace ? "" : ", or -replace");
        else if (unlink(path)) status = meta_fail(error, "%s: %s", path, strerror(errno));
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* Whether the link leads to the target itself. */
static int leads_to(const char *link, const char *target)
{
    char there[PATH_MAX];
    ssize_t n = readlink(link, there, sizeof there - 1);
    return n > 0 && (size_t)n == strlen(target) && !memcmp(there, target, (size_t)n);
}

/* The name of links in a folder: `stem` bytes before the number of a link, `length` in all. */
struct name {
    const char *folder, *text;
    size_t stem, length;
};

/* The path of link i: NAME.EXT, then NAME-2.EXT and so on. NULL: no memory. */
static char *link_path(const struct name *n, int i)
{
    char *path, again[16] = "";
    if (i > 1) snprintf(again, sizeof again, "-%d", i);
    int status = asprintf(&path, "%s/%.*s%s%.*s", n->folder, (int)n->stem, n->text, again,
                          (int)(n->length - n->stem), n->text + n->stem);
    return status < 0 ? NULL : path;
}

static int is_there(const struct name *n, int i)
{
    struct stat s;
    char *path = link_path(n, i);
    int there = path && !lstat(path, &s);
    free(path);
    return there;
}

/* A link that is not there, and before which most are: numbers are given out in order. */
static int first_free(const struct name *n)
{
    int high = 1;
    while (high < INT_MAX / 2 && is_there(n, high)) high *= 2;
    for (int low = high / 2; high - low > 1;) {
        int middle = low + (high - low) / 2;
        if (is_there(n, middle)) low = middle;
        else high = middle;
    }
    return high;
}

/* Makes a link to the file of the image in the folder; *link is the image's path by that link: with
   its number where it is one of several in the file, which then have one link. */
static int make_link(char **link, const char *folder, const char *image, struct meta_error *error)
{
    char target[PATH_MAX];
    struct meta_image_place place;
    if (meta_image_place_find(&place, image, error)) return -1;
    const char *number = image + strlen(place.file), *there = realpath(place.file, target);
    free(place.file);
    if (!there) return meta_fail(error, "%s: %s", image, strerror(errno));
    struct name n = { folder, meta_path_base(image), meta_path_stem_length(image), 0 };
    n.length = (size_t)(number - n.text);
    if (n.stem > n.length) n.stem = n.length;
    for (int i = *number ? 1 : first_free(&n);; i++) {
        char *file = link_path(&n, i);
        if (!file) return meta_fail_memory_for(error, folder);
        int made = !symlink(target, file), why = errno;
        if (made || (*number && leads_to(file, target))) {
            int status = asprintf(link, "%s%s", file, number) < 0;
            if (status) *link = NULL;
            free(file);
            return status ? meta_fail_memory_for(error, folder) : 0;
        }
        if (why != EEXIST) meta_fail(error, "%s: can't make the link: %s", file, strerror(why));
        free(file);
        if (why != EEXIST) return -1;
    }
}

/* The folder that an image lies in; 0: it can't be told. */
static int folder_of(struct meta_file_id *folder, const char *image)
{
    char *path = strdup(image), *slash = path ? strrchr(path, '/') : NULL;
    if (slash) slash[slash == path] = 0;
    int found = path && !meta_file_id_find(folder, slash ? path : ".");
    free(path);
    return found;
}

/* The images must not lie where links are replaced: they may be links themselves. */
static int check_apart(const struct meta_labelled *l, char *const *paths, struct meta_error *error)
{
    for (int k = 0; k < l->classes; k++) {
        struct meta_file_id links, own;
        if (meta_file_id_find(&links, paths[k])) continue;
        for (int i = 0; i < l->count; i++)
            if (folder_of(&own, l->paths[i]) && !meta_file_id_order(&own, &links))
                return meta_fail(error,
                                 "%s: lies in %s, where the links of an earlier call are replaced: "
                                 "choose another folder",
                                 l->paths[i], paths[k]);
    }
    return 0;
}

/* Makes the folders, without the links of an earlier call. */
static int make_folders(const struct meta_labelled *l, char *const *paths, int replace,
                        struct meta_error *error)
{
    if (replace && check_apart(l, paths, error)) return -1;
    for (int k = 0; k < l->classes; k++)
        if (clear_folder(paths[k], replace, error) || meta_path_make_folder(paths[k], error))
            return -1;
    return 0;
}

int meta_class_links(char ***out, const struct meta_labelled *l, char *const *folders,
                     const char *folder, int replace, struct meta_error *error)
{
    char **links = calloc((size_t)l->count + 1, sizeof *links), **paths;
    *out = links;
    paths = calloc((size_t)l->classes + 1, sizeof *paths);
    int status = links && paths ? 0 : meta_fail_memory_for(error, folder);
    for (int k = 0; k < l->classes && !status; k++) {
        if (asprintf(&paths[k], "%s/%s", folder, folders[k]) >= 0) continue;
        paths[k] = NULL;
        status = meta_fail_memory_for(error, folder);
    }
    if (!status) status = make_folders(l, paths, replace, error);
    for (int i = 0; i < l->count && !status; i++)
        status = make_link(&links[i], paths[l->label[i]], l->paths[i], error);
    for (int k = 0; paths && k < l->classes; k++) free(paths[k]);
    free(paths);
    return status;
}
