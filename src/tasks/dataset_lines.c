/* Reads what a list and the CSV of groups say of its images, and finds lines that can't be used
   whatever their images are. */
#define _GNU_SOURCE
#include "copies_internal.h"
#include "dataset_internal.h"
#include "file_id.h"
#include "groups.h"
#include "labelled.h"
#include "base/lines.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void meta_job_note(struct meta_job *job, int i, const struct meta_error *what)
{
    if (job->why) {
        if (!job->why[i] && !(job->why[i] = strdup(what->text))) atomic_store(&job->bad, i);
        return;
    }
    pthread_mutex_lock(&job->mutex);
    if (i < atomic_load(&job->bad)) {
        atomic_store(&job->bad, i);
        *job->error = *what;
    }
    pthread_mutex_unlock(&job->mutex);
}

int meta_job_failed(struct meta_job *job) { return !job->why && atomic_load(&job->bad) != INT_MAX; }

/* Orders indices by the files that their lines lead to. */
static int by_file(const void *a, const void *b, void *files)
{
    const struct meta_file_id *id = files;
    int i = *(const int *)a, k = *(const int *)b, order = meta_file_id_order(&id[i], &id[k]);
    return order ? order : (i > k) - (i < k);
}

/* Notes lines whose file is that of an earlier line. */
static int check_repeats(struct meta_job *job, struct meta_error *error)
{
    const struct meta_dataset *set = job->set;
    unsigned n = set->count;
    int *order = malloc(n * sizeof *order);
    struct meta_file_id *files = calloc(n, sizeof *files);
    if (!order || !files) {
        free(order);
        free(files);
        return meta_fail_memory_for(error, set->list);
    }
    for (int i = 0; i < set->count; i++) {
        order[i] = i;
        meta_file_id_image(&files[i], set->paths[i]);
    }
    qsort_r(order, set->count, sizeof *order, by_file, files);
    for (int i = 1; i < set->count; i++) {
        struct meta_error why;
        int line = order[i], earlier = order[i - 1];
        if (!files[line].inode || meta_file_id_order(&files[line], &files[earlier])) continue;
        if (strcmp(set->paths[line], set->paths[earlier]) && set->lines[line])
            meta_fail(&why,
                      "%s:%d: %s: is the file of line %d, %s, by another name: must be there once",
                      set->list, set->lines[line], set->paths[line], set->lines[earlier],
                      set->paths[earlier]);
        else if (!set->lines[line])
            meta_fail(&why, "%s: is the file of %s by another name: must be there once",
                      set->paths[line], set->paths[earlier]);
        else
            meta_fail(&why, "%s:%d: %s: is on line %d already: must be there once", set->list,
                      set->lines[line], set->paths[line], set->lines[earlier]);
        meta_job_note(job, line, &why);
    }
    free(order);
    free(files);
    return meta_job_failed(job) ? -1 : 0;
}

static int find_label(struct meta_dataset *set, int i, char *const *labels,
                      struct meta_error *error)
{
    char known[160] = "";
    set->label[i] = -1;
    for (int k = 0; k < set->classes; k++) {
        if (!strstr(set->paths[i], labels[k])) continue;
        if (set->label[i] >= 0)
            return meta_fail(error,
                             "%s:%d: %s: has labels %s and %s in its path: must have exactly one",
                             set->list, set->lines[i], set->paths[i], labels[set->label[i]],
                             labels[k]);
        set->label[i] = k;
    }
    if (set->label[i] >= 0) return 0;
    for (int k = 0; k < set->classes; k++) {
        size_t used = strlen(known);
        if (used + strlen(labels[k]) + 6 > sizeof known) {
            strcpy(known + used, "...");
            break;
        }
        sprintf(known + used, "%s%s", labels[k], k < set->classes - 1 ? ", " : "");
    }
    return meta_fail(error, "%s:%d: %s: has no label in its path: must have one of %s", set->list,
                     set->lines[i], set->paths[i], known);
}

/* The folder or CSV that stands in the place of the list, or NULL. */
static const struct meta_labelled *labelled_of(const struct meta_data *data, const char *list)
{
    return data->train && !strcmp(data->train, list) ? data->labelled : NULL;
}

/* Takes the paths and lines of the list, or those of a folder or a CSV. */
static int take_paths(struct meta_dataset *set, const struct meta_data *data, const char *list,
                      struct meta_error *error)
{
    struct meta_lines lines = { 0 };
    const struct meta_labelled *l = labelled_of(data, list);
    if (!l) {
        if (meta_data_need_labels(data, error)) return -1;
        if (meta_lines_read(&lines, list, error)) return meta_data_blame(data, list, error);
        set->count = lines.count;
        set->paths = lines.line; /* handed over */
        set->lines = lines.number;
        set->arena = lines.text;
        return 0;
    }
    set->paths = malloc((size_t)l->count * sizeof *set->paths);
    set->lines = malloc((size_t)l->count * sizeof *set->lines);
    if (!set->paths || !set->lines) return meta_fail_memory_for(error, list);
    memcpy(set->paths, l->paths, (size_t)l->count * sizeof *set->paths);
    memcpy(set->lines, l->lines, (size_t)l->count * sizeof *set->lines);
    set->count = l->count;
    return 0;
}

int meta_job_read_list(struct meta_job *job, const struct meta_dataset_source *source,
                       struct meta_error *error)
{
    const struct meta_data *data = source->data;
    const char *list = source->list;
    struct meta_dataset *set = job->set;
    if (!(set->list = strdup(list))) return meta_fail_memory_for(error, list);
    if (take_paths(set, data, list, error)) return -1;
    set->classes = data->classes;
    set->names = data->names;
    set->c = source->channels;
    if (!set->count)
        return meta_fail(error, "%s: has no images: must have a path on each line", list);
    size_t n = set->count;
    set->label = malloc(n * sizeof *set->label);
    set->group = malloc(n * sizeof *set->group);
    set->named_group = malloc(n * sizeof *set->named_group);
    set->copy_of = malloc(n * sizeof *set->copy_of);
    set->digests = calloc(n, sizeof *set->digests);
    set->w = calloc(n, sizeof *set->w);
    set->h = calloc(n, sizeof *set->h);
    set->largest = calloc(n, sizeof *set->largest);
    set->scaled = calloc(n, sizeof *set->scaled);
    set->plain = calloc(n, sizeof *set->plain);
    set->pixels = calloc(n, sizeof *set->pixels);
    if (!set->named_group || !set->copy_of || !set->label || !set->group || !set->digests || !set->w
        || !set->h || !set->largest || !set->scaled || !set->plain || !set->pixels)
        return meta_fail_memory_for(error, list);
    for (int i = 0; i < set->count; i++) set->group[i] = set->named_group[i] = set->copy_of[i] = -1;
    return 0;
}

static int read_groups(struct meta_dataset *set, const struct meta_data *data,
                       struct meta_error *error)
{
    struct meta_groups groups;
    const struct meta_listed listed = { set->list, set->paths, set->lines, set->count };
    if (meta_groups_read(&groups, data, error)) return -1;
    int status = meta_groups_find(&groups, &listed, set->named_group, error);
    meta_groups_free(&groups);
    memcpy(set->group, set->named_group, set->count * sizeof *set->group);
    return status;
}

/* What of the images the list and the CSV of groups tell. */
int meta_job_read_lines(struct meta_job *job, const struct meta_data *data,
                        struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    struct meta_error why;
    const struct meta_labelled *l = labelled_of(data, set->list);
    for (int i = 0; l && i < set->count; i++) {
        set->label[i] = l->label[i];
        set->group[i] = set->named_group[i] = l->group[i];
    }
    if (l) return check_repeats(job, error);
    for (int i = 0; i < set->count; i++)
        if (find_label(set, i, data->labels, &why)) {
            meta_job_note(job, i, &why);
            if (meta_job_failed(job)) return -1;
        }
    if (check_repeats(job, error)) return -1;
    return data->groups ? read_groups(set, data, error) : 0;
}

/* Notes lines whose image is that of an earlier line of another class. */
int meta_job_check_copies(struct meta_job *job, struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    if (meta_copies_find(set, set->copy_of, error)) return -1;
    for (int i = 0; i < set->count; i++) {
        struct meta_error why;
        int k = set->copy_of[i];
        if (k < 0 || set->label[i] < 0 || set->label[k] < 0 || set->label[i] == set->label[k])
            continue;
        meta_copies_clash(set, i, k, &why);
        meta_job_note(job, i, &why);
    }
    return meta_job_failed(job) ? -1 : 0;
}
