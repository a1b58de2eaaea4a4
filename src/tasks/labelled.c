/* Puts labelled images of a folder or a CSV in order: numbers their classes and groups. */
#include "labelled_internal.h"
#include "base/path.h"
#include "groups.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

int meta_labelled_is(const char *path)
{
    struct stat s;
    const char *dot = strrchr(path, '.');
    return (!stat(path, &s) && S_ISDIR(s.st_mode)) || (dot && !strcasecmp(dot, ".csv"));
}

/* ---- names to numbers ------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* names: the different ones of `texts` (count), ascending, NULL being none; number (count): of
   each, or -1. */
static int number(char ***names, int *known, char *const *texts, int count, int *numbers)
{
    int n = 0;
    char **sorted = malloc(((size_t)count + 1) * sizeof *sorted);
    if (!sorted) return -1;
    for (int i = 0; i < count; i++)
        if (texts[i]) sorted[n++] = texts[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    *known = 0;
    for (int i = 0; i < n; i++)
        if (!i || strcmp(sorted[i], sorted[*known - 1])) sorted[(*known)++] = sorted[i];
    for (int i = 0; i < count; i++) {
        char **found = texts[i]
            ? bsearch(&texts[i], sorted, (size_t)*known, sizeof *sorted, by_text)
            : NULL;
        numbers[i] = found ? (int)(found - sorted) : -1;
    }
    int status = 0;
    for (int i = 0; i < *known; i++)
        if (!(sorted[i] = strdup(sorted[i]))) status = -1;
    *names = sorted;
    return status;
}

static int check_names(const struct meta_labelled *l, struct meta_error *error)
{
    for (int k = 0; k < l->classes; k++) {
        const char *name = l->names[k];
        if (strpbrk(name, "\r\n") || !name[strspn(name, " \t")])
            return meta_fail(error,
                             "%s: a class is called '%s': must be a name that can stand on a line",
                             l->from, name);
    }
    return 0;
}

static int number_all(struct meta_labelled_reader *r)
{
    struct meta_labelled *l = r->set;
    size_t n = (size_t)r->count;
    char **texts = malloc((n + 1) * sizeof *texts);
    l->paths = calloc(n + 1, sizeof *l->paths);
    l->lines = calloc(n + 1, sizeof *l->lines);
    l->label = malloc((n + 1) * sizeof *l->label);
    l->group = malloc((n + 1) * sizeof *l->group);
    int status = texts && l->paths && l->lines && l->label && l->group ? 0 : -1;
    for (int i = 0; i < r->count && !status; i++) {
        l->paths[l->count++] = r->images[i].path; /* handed over */
        r->images[i].path = NULL;
        l->lines[i] = r->images[i].line;
        texts[i] = r->images[i].class;
    }
    if (!status) status = number(&l->names, &l->classes, texts, r->count, l->label);
    for (int i = 0; i < r->count && !status; i++) texts[i] = r->images[i].group;
    if (!status) status = number(&l->group_names, &l->groups, texts, r->count, l->group);
    free(texts);
    if (status) return meta_fail_memory_for(r->error, l->from);
    l->grouped = r->by_folder || l->groups;
    return check_names(l, r->error);
}

/* ---- groups of another CSV ------------------------------------------------------------------- */

static int find_groups(struct meta_labelled *l, const char *csv, struct meta_error *error)
{
    struct meta_groups groups;
    struct meta_data data = { .groups = (char *)csv };
    const struct meta_listed listed = { l->from, l->paths, l->lines, l->count };
    if (l->groups)
        return meta_fail(error, "-groups %s: %s has a column group of its own: must be one of them",
                         csv, l->from);
    if (!*csv) return meta_fail(error, "-groups '': is no file: must be a CSV, or folders");
    if (meta_groups_read(&groups, &data, error)) return -1;
    int status = meta_groups_find(&groups, &listed, l->group, error);
    if (!status) {
        free(l->group_names);
        l->group_names = calloc((size_t)groups.names + 1, sizeof *l->group_names);
        if (!l->group_names) status = meta_fail_memory_for(error, csv);
    }
    for (int g = 0; !status && g < groups.names; g++)
        if (!(l->group_names[l->groups++] = strdup(groups.name[g])))
            status = meta_fail_memory_for(error, csv);
    meta_groups_free(&groups);
    l->grouped = 1;
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int read_all(struct meta_labelled_reader *r, int folder, const char *groups)
{
    struct meta_labelled *l = r->set;
    if (r->by_folder && !folder)
        return meta_fail(r->error,
                         "-groups %s: is for a folder of classes: of a CSV, as %s, a column group "
                         "says them",
                         groups, l->from);
    if (folder ? meta_labelled_read_folder(r) : meta_labelled_read_csv(r)) return -1;
    if (number_all(r)) return -1;
    return groups && !r->by_folder ? find_groups(l, groups, r->error) : 0;
}

int meta_labelled_read(struct meta_labelled **out, const char *from, const char *groups,
                       struct meta_error *error)
{
    struct stat s;
    struct meta_labelled_reader r = { .set = calloc(1, sizeof *r.set), .error = error };
    int folder = !stat(from, &s) && S_ISDIR(s.st_mode);
    if (!r.set || !(r.set->from = strdup(from))) {
        meta_labelled_free(r.set);
        return meta_fail_memory(error);
    }
    meta_path_trim(r.set->from);
    r.by_folder = groups && !strcmp(groups, META_GROUPS_FOLDERS);
    int status = read_all(&r, folder, groups);
    for (int i = 0; i < r.count; i++) meta_labelled_image_clear(&r.images[i]);
    free(r.images);
    if (status) meta_labelled_free(r.set);
    else *out = r.set;
    return status;
}
