/* The images of a list: whose class and group they are, and their pixels in memory. */
#define _GNU_SOURCE
#include "data_internal.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "pool.h"

static int by_path(const void *a, const void *b, void *paths)
{
    int i = *(const int *)a, k = *(const int *)b, order = strcmp(((char **)paths)[i], ((char **)paths)[k]);
    return order ? order : (i > k) - (i < k);
}

/* Names the first line that repeats an earlier one. */
static int check_repeats(const struct meta_dataset *set, struct meta_error *error)
{
    int *order = malloc(set->count * sizeof *order), first = INT_MAX, earlier = 0;
    if (!order) return meta_fail(error, "%s: out of memory", set->list);
    for (int i = 0; i < set->count; i++) order[i] = i;
    qsort_r(order, set->count, sizeof *order, by_path, set->paths);
    for (int i = 1; i < set->count; i++)
        if (order[i] < first && !strcmp(set->paths[order[i]], set->paths[order[i - 1]])) {
            first = order[i];
            earlier = order[i - 1];
        }
    free(order);
    if (first == INT_MAX) return 0;
    return meta_fail(error, "%s:%d: %s: is on line %d already: must be there once", set->list, set->lines[first], set->paths[first],
                     set->lines[earlier]);
}

static int find_label(struct meta_dataset *set, int i, char *const *labels, struct meta_error *error)
{
    char known[160] = "";
    set->label[i] = -1;
    for (int k = 0; k < set->classes; k++) {
        if (!strstr(set->paths[i], labels[k])) continue;
        if (set->label[i] >= 0)
            return meta_fail(error, "%s:%d: %s: has labels %s and %s in its path: must have exactly one", set->list, set->lines[i],
                             set->paths[i], labels[set->label[i]], labels[k]);
        set->label[i] = k;
    }
    if (set->label[i] >= 0) return 0;
    for (int k = 0; k < set->classes; k++) {
        size_t used = strlen(known);
        if (used + strlen(labels[k]) + 6 > sizeof known) { strcpy(known + used, "..."); break; }
        sprintf(known + used, "%s%s", labels[k], k < set->classes - 1 ? ", " : "");
    }
    return meta_fail(error, "%s:%d: %s: has no label in its path: must have one of %s", set->list, set->lines[i], set->paths[i], known);
}

struct job {
    struct meta_dataset *set;
    int shorter;                   /* pixels an image's shorter side is kept at, at most */
    atomic_int bad;                /* the first image that failed; none after it is begun */
    pthread_mutex_t mutex;         /* guards `error` */
    struct meta_error *error;
};

static int decode(struct meta_dataset *set, int i, int shorter, struct meta_error *error)
{
    struct meta_image image;
    struct meta_error why;
    if (meta_image_read(set->paths[i], set->c, &image, error)) return -1;
    int status = meta_image_fit(&image, shorter, &why);
    set->pixels[i] = image.pixels;
    if (status) return meta_fail(error, "%s: %s", set->paths[i], why.text);
    set->w[i] = image.w;
    set->h[i] = image.h;
    return 0;
}

/* Images are begun in list order, so when one fails, every earlier one is done or under way: the first of all that fail is
   always found. */
static void decode_one(void *context, int i, int worker)
{
    struct job *job = context;
    struct meta_error why;
    if (i > atomic_load(&job->bad) || !decode(job->set, i, job->shorter, &why)) return;
    pthread_mutex_lock(&job->mutex);
    if (i < atomic_load(&job->bad)) {
        atomic_store(&job->bad, i);
        meta_fail(job->error, "%s:%d: %s", job->set->list, job->set->lines[i], why.text);
    }
    pthread_mutex_unlock(&job->mutex);
}

int meta_dataset_load(struct meta_dataset **out, const struct meta_data *data, const char *list, int width, int height,
                      int channels, int side, struct meta_pool *pool, struct meta_error *error)
{
    struct meta_lines lines = { 0 };
    struct meta_dataset *set = calloc(1, sizeof *set);
    if (!set || !(set->list = strdup(list))) { meta_fail(error, "%s: out of memory", list); goto fail; }
    if (channels != 1 && channels != 3) { meta_fail(error, "channels=%d: must be 1 or 3", channels); goto fail; }
    if (meta_lines_read(&lines, list, error)) goto fail;
    set->count = lines.count;
    set->classes = data->classes;
    set->names = data->names;
    set->c = channels;
    set->paths = lines.line;                       /* handed over */
    set->lines = lines.number;
    set->arena = lines.text;
    if (!set->count) { meta_fail(error, "%s: has no images: must have a path on each line", list); goto fail; }
    size_t n = set->count;
    set->label = malloc(n * sizeof *set->label);
    set->group = malloc(n * sizeof *set->group);
    set->w = calloc(n, sizeof *set->w);
    set->h = calloc(n, sizeof *set->h);
    set->pixels = calloc(n, sizeof *set->pixels);
    if (!set->label || !set->group || !set->w || !set->h || !set->pixels) { meta_fail(error, "%s: out of memory", list); goto fail; }

    for (int i = 0; i < set->count; i++) {
        set->group[i] = -1;
        if (find_label(set, i, data->labels, error)) goto fail;
    }
    if (check_repeats(set, error)) goto fail;
    if (data->groups && meta_groups_find(data->groups, set->paths, set->count, set->group, error)) goto fail;

    struct job job = { .set = set, .shorter = width > height ? width : height, .error = error, .bad = INT_MAX,
                       .mutex = PTHREAD_MUTEX_INITIALIZER };
    if (side > job.shorter) job.shorter = side;
    meta_pool_run(pool, set->count, decode_one, &job);
    if (job.bad != INT_MAX) goto fail;
    *out = set;
    return 0;
fail:
    meta_dataset_free(set);
    return -1;
}

void meta_dataset_free(struct meta_dataset *set)
{
    if (!set) return;
    for (int i = 0; set->pixels && i < set->count; i++) free(set->pixels[i]);
    free(set->pixels);
    free(set->paths);
    free(set->lines);
    free(set->label);
    free(set->group);
    free(set->w);
    free(set->h);
    free(set->list);
    free(set->arena);
    free(set);
}
