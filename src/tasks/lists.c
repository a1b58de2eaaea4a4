/* Writes lists, names, labels, groups and the .data file, and reads them again. */
#define _GNU_SOURCE
#include "lists.h"
#include "base/csv.h"
#include "base/leftovers.h"
#include "base/lines.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/text.h"
#include "class_labels.h"
#include "class_links.h"
#include "file_id.h"
#include "images/image_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES, LABELS, LIST, GROUPS = LIST + META_PARTS, DATA, FILES };
static const char *const part_names[META_PARTS] = { "train", "valid", "test" };

struct writing {
    const struct meta_lists *how;
    char *path[FILES];
    int written[FILES];
    char **folders; /* (classes) */
    char **links;   /* (count) NULL: the images' own paths are listed */
    char **labels;  /* (classes) */
};

/* The name of a folder, for its files: "lists" where it has none, as "." has. */
static const char *name_of(const char *folder)
{
    return meta_path_ends_in_folder(folder) ? "lists" : meta_path_base(folder);
}

char *meta_lists_data(const char *folder)
{
    char *path;
    return asprintf(&path, "%s/%s.data", folder, name_of(folder)) < 0 ? NULL : path;
}

static int name_files(struct writing *w, struct meta_error *error)
{
    const char *folder = w->how->folder, *name = name_of(folder);
    int failed = asprintf(&w->path[NAMES], "%s/%s.names", folder, name) < 0
        || asprintf(&w->path[LABELS], "%s/%s.labels", folder, name) < 0
        || asprintf(&w->path[GROUPS], "%s/groups.csv", folder) < 0
        || !(w->path[DATA] = meta_lists_data(folder));
    for (int p = 0; p < META_PARTS && !failed; p++)
        failed = asprintf(&w->path[LIST + p], "%s/%s.list", folder, part_names[p]) < 0;
    return failed ? meta_fail_memory_for(error, folder) : 0;
}

static void clear(struct writing *w)
{
    const struct meta_labelled *l = w->how->images;
    for (int f = 0; f < FILES; f++) free(w->path[f]);
    for (int k = 0; w->folders && k < l->classes; k++) free(w->folders[k]);
    for (int i = 0; w->links && i < l->count; i++) free(w->links[i]);
    free(w->folders);
    free(w->links);
    meta_class_labels_free(w->labels, l->classes);
}

/* Whether the text is what write_groups gives for its own rows. It is changed. */
static int is_as_written(char *text, struct meta_error *error)
{
    struct meta_text again;
    char *given = strdup(text), *made = NULL, *field[2];
    struct meta_csv csv = meta_csv_start("groups", text, "image");
    int fields, line, status = given ? 0 : meta_fail_memory(error);
    if (!status && (status = meta_text_begin(&again, error)) == 0) {
        while (!(status = meta_csv_next(&csv, field, 2, &fields, &line, error)) && fields == 2) {
            meta_csv_write_field(again.file, field[0]);
            putc(',', again.file);
            meta_csv_write_field(again.file, field[1]);
            putc('\n', again.file);
        }
        status = meta_text_end(&again, status, &made, error);
    }
    int is = !status && !strncmp(made, "image,group\n", 12) && !strcmp(made, given);
    free(given);
    free(made);
    return is;
}

/* Whether the .data file names this groups.csv; or is not there, while the names and labels are
   that a call writes before: it was ended. */
static int is_of_data(const struct writing *w)
{
    struct meta_data *data;
    struct meta_error why;
    if (access(w->path[DATA], F_OK))
        return !access(w->path[NAMES], F_OK) && !access(w->path[LABELS], F_OK);
    if (meta_data_read(&data, w->path[DATA], &why)) return 0;
    int is_own = data->groups && meta_file_id_same(data->groups, w->path[GROUPS]);
    meta_data_free(data);
    return is_own;
}

/* Fails where groups.csv is there, but not as an earlier call wrote it. */
static int check_groups(const struct writing *w, struct meta_error *error)
{
    struct meta_error why;
    const char *path = w->path[GROUPS];
    char *text, *start;
    if (access(path, F_OK)) return 0;
    if (is_of_data(w) && !meta_lines_text(path, &text, &start, &why)) {
        int ours = is_as_written(start, &why);
        free(text);
        if (ours) return 0;
    }
    return meta_fail(error,
                     "%s: was not written by an earlier call, and -replace would write over it or "
                     "remove it: move it away, or choose another folder",
                     path);
}

int meta_lists_check(const struct meta_lists *how, struct meta_error *error)
{
    struct writing w = { .how = how };
    int status = name_files(&w, error);
    if (!status && how->replace) status = check_groups(&w, error);
    for (int f = 0; f < FILES && !status && !how->replace; f++)
        if (!access(w.path[f], F_OK))
            status = meta_fail(error, "%s: is there already: choose another folder, or -replace",
                               w.path[f]);
    if (!status && strpbrk(how->folder, "#;\r\n"))
        status = meta_fail(error,
                           "%s: must be a name without #, ; and line breaks, which can't stand in "
                           "a "
                           ".data file",
                           how->folder);
    for (int i = 0; i < how->images->count && !status; i++)
        if (strpbrk(how->images->paths[i], "\r\n"))
            status = meta_fail(error,
                               "%s: an image's name has a line break in it, and can't stand in a "
                               "list",
                               how->images->paths[i]);
    clear(&w);
    return status;
}

/* ---- labels ---------------------------------------------------------------------------------- */

static int find_labels(struct writing *w, struct meta_error *error)
{
    const struct meta_labelled *l = w->how->images;
    struct meta_classed own = { l->count, l->classes, l->paths, l->label, l->names, l->root };
    if (meta_class_labels(&w->labels, &own, error)) return -1;
    if (w->labels) return 0;
    char *folder;
    if (!(w->folders = meta_class_folders(l)) || asprintf(&folder, "%s/images", w->how->folder) < 0)
        return meta_fail_memory_for(error, w->how->folder);
    int status = meta_class_links(&w->links, l, w->folders, folder, w->how->replace, error);
    struct meta_classed linked = { l->count, l->classes, w->links, l->label, w->folders, folder };
    if (!status) status = meta_class_labels(&w->labels, &linked, error);
    if (!status && !w->labels)
        status = meta_fail(error, "%s: has the names of classes in it: choose another folder",
                           folder);
    free(folder);
    return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *listed(const struct writing *w, int image)
{
    return w->links ? w->links[image] : w->how->images->paths[image];
}

static int part_has_images(const struct writing *w, int part)
{
    for (int i = 0; i < w->how->images->count; i++)
        if (w->how->part[i] == part) return 1;
    return 0;
}

static int is_wanted(const struct writing *w, int file)
{
    if (file == GROUPS) return w->how->images->groups > 0;
    if (file >= LIST && file < LIST + META_PARTS) return part_has_images(w, file - LIST);
    return 1;
}

static void write_groups(const struct writing *w, FILE *f)
{
    const struct meta_labelled *l = w->how->images;
    fputs("image,group\n", f);
    for (int i = 0; i < l->count; i++) {
        meta_csv_write_field(f, listed(w, i));
        putc(',', f);
        meta_csv_write_field(f, l->group[i] >= 0 ? l->group_names[l->group[i]] : listed(w, i));
        putc('\n', f);
    }
}

static void write_data(const struct writing *w, FILE *f)
{
    static const struct {
        int file;
        const char *key;
    } rows[] = { { NAMES, "names" },
                 { LABELS, "labels" },
                 { GROUPS, "groups" },
                 { LIST, "train" },
                 { LIST + META_PART_VALID, "valid" },
                 { LIST + META_PART_TEST, "test" } };
    fprintf(f, "classes = %d\n", w->how->images->classes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_wanted(w, rows[i].file)) fprintf(f, "%s = %s\n", rows[i].key, w->path[rows[i].file]);
    if (w->how->range) fprintf(f, "range = %d\n", w->how->range);
    fprintf(f, "backup = %s/backup\n", w->how->folder);
}

static void write_text(const struct writing *w, int file, FILE *f)
{
    const struct meta_labelled *l = w->how->images;
    if (file == DATA) write_data(w, f);
    else if (file == GROUPS) write_groups(w, f);
    else if (file == NAMES || file == LABELS)
        for (int k = 0; k < l->classes; k++)
            fprintf(f, "%s\n", file == NAMES ? l->names[k] : w->labels[k]);
    else
        for (int i = 0; i < l->count; i++)
            if (w->how->part[i] == file - LIST) fprintf(f, "%s\n", listed(w, i));
}

static int write_file(struct writing *w, int file, struct meta_error *error)
{
    struct meta_text text;
    if (!is_wanted(w, file)) {
        if (w->how->replace) unlink(w->path[file]);
        return 0;
    }
    if (meta_text_begin(&text, error)) return -1;
    write_text(w, file, text.file);
    if (meta_text_write(&text, 0, w->path[file], error)) return -1;
    w->written[file] = 1;
    return 0;
}

/* ---- reading them again ---------------------------------------------------------------------- */

/* Compares the images of a list, which are those of its part in order, with what is known of
   them. */
static int compare(const struct writing *w, const struct meta_dataset *set, int part,
                   struct meta_error *error)
{
    const struct meta_labelled *l = w->how->images;
    int at = 0;
    for (int i = 0; i < l->count; i++) {
        if (w->how->part[i] != part) continue;
        if (at == set->count || strcmp(set->paths[at], listed(w, i))
            || set->label[at] != l->label[i])
            return meta_fail(error, "%s: %s: the list would not say that it is of class %s",
                             w->how->folder, listed(w, i), l->names[l->label[i]]);
        at++;
    }
    return 0;
}

static int read_again(const struct writing *w, struct meta_error *error)
{
    struct meta_data *data;
    if (meta_data_read(&data, w->path[DATA], error)) return -1;
    const char *lists[META_PARTS] = { data->train, data->valid, data->test };
    int status = 0;
    for (int p = 0; p < META_PARTS && !status; p++) {
        struct meta_dataset *set = NULL;
        if (!lists[p]) continue;
        status = meta_dataset_outline(&set, data, lists[p], error);
        if (!status) status = compare(w, set, p, error);
        meta_dataset_free(set);
    }
    meta_data_free(data);
    return status;
}

/* Removes what was written, links included. */
static void undo(struct writing *w)
{
    if (w->how->replace || w->written[DATA]) unlink(w->path[DATA]);
    for (int f = 0; f < FILES && !w->how->replace; f++)
        if (w->written[f]) unlink(w->path[f]);
    for (int i = 0; w->links && i < w->how->images->count && !w->how->replace; i++) {
        char *slash = w->links[i] ? strrchr(w->links[i], '/') : NULL;
        if (!slash) continue;
        if (unlink(w->links[i])) { /* of a frame the file is the link */
            w->links[i][meta_image_place_length(w->links[i])] = 0;
            unlink(w->links[i]);
        }
        *slash = 0;
        rmdir(w->links[i]);
        if ((slash = strrchr(w->links[i], '/'))) *slash = 0;
        rmdir(w->links[i]);
    }
}

/* Looks again at what is there: another run may have written since. */
static int lock(struct meta_lock *own, const struct writing *w, struct meta_error *error)
{
    const struct meta_lists *how = w->how;
    char *path;
    if (asprintf(&path, "%s/%s.lock", how->folder, name_of(how->folder)) < 0)
        return meta_fail_memory(error);
    int status = meta_lock_take(own, path, 0,
                                (struct meta_lock_words){ "another run of meta lists writes there",
                                                          "wait for it, or take another folder" },
                                error);
    free(path);
    if (status) return -1;
    meta_lock_guard(own);
    for (int f = 0; f < FILES; f++) meta_leftovers_remove(w->path[f], NULL);
    return meta_lists_check(how, error);
}

int meta_lists_write(const struct meta_lists *how, int *linked, struct meta_error *error)
{
    struct writing w = { .how = how };
    static struct meta_lock own; /* a signal may come behind the end */
    own.fd = -1;
    if (meta_path_make_folder(how->folder, error) || name_files(&w, error)
        || lock(&own, &w, error)) {
        meta_lock_release(&own);
        clear(&w);
        return -1;
    }
    if (how->replace) unlink(w.path[DATA]);
    int status = find_labels(&w, error);
    for (int f = 0; f < FILES && !status; f++) status = write_file(&w, f, error);
    if (!status) status = read_again(&w, error);
    *linked = w.links != NULL;
    if (status) undo(&w);
    meta_lock_release(&own);
    clear(&w);
    return status;
}
