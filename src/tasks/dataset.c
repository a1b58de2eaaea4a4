/* Reads the images of a list: their classes and groups, and their pixels. */
#define _GNU_SOURCE
#include "dataset.h"
#include "copies_internal.h"
#include "file_id.h"
#include "depth.h"
#include "groups.h"
#include "base/lines.h"
#include "config/net_section.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images/thumbnail.h"
#include "base/pool.h"

/* Orders indices by the files that their lines lead to. */
static int by_file(const void *a, const void *b, void *files)
{
    const struct meta_file_id *id = files;
    int i = *(const int *)a, k = *(const int *)b, order = meta_file_id_order(&id[i], &id[k]);
    return order ? order : (i > k) - (i < k);
}

/* What one pass over a list works with. Lines that can't be used are noted, in any order and from
   several threads. A load ends with the message of the first such line of the list; a survey goes
   on and keeps all messages. */
struct job {
    struct meta_dataset *set;
    struct meta_image_reading reading;
    atomic_int bad;        /* load: the first image that failed; no image after it is begun.
                              survey: one whose message there was no memory for */
    pthread_mutex_t mutex; /* guards `error` */
    struct meta_error *error;
    char **why;                        /* survey: (count) what is wrong with each line, or NULL */
    struct meta_thumbnail *thumbnails; /* survey: (count) */
};

static void note(struct job *job, int i, const struct meta_error *what)
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

static int failed(struct job *job) { return !job->why && atomic_load(&job->bad) != INT_MAX; }

/* Notes lines whose file is that of an earlier line. */
static int check_repeats(struct job *job, struct meta_error *error)
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
        meta_file_id_find(&files[i], set->paths[i]);
    }
    qsort_r(order, set->count, sizeof *order, by_file, files);
    for (int i = 1; i < set->count; i++) {
        struct meta_error why;
        int line = order[i], earlier = order[i - 1];
        if (!files[line].inode || meta_file_id_order(&files[line], &files[earlier])) continue;
        if (strcmp(set->paths[line], set->paths[earlier]))
            meta_fail(&why,
                      "%s:%d: %s: is the file of line %d, %s, by another name: must be there once",
                      set->list, set->lines[line], set->paths[line], set->lines[earlier],
                      set->paths[earlier]);
        else
            meta_fail(&why, "%s:%d: %s: is on line %d already: must be there once", set->list,
                      set->lines[line], set->paths[line], set->lines[earlier]);
        note(job, line, &why);
    }
    free(order);
    free(files);
    return failed(job) ? -1 : 0;
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

static int is_plain(const struct meta_image *image)
{
    size_t numbers = (size_t)image->w * image->h * image->c, c = image->c;
    for (size_t i = c; i < numbers; i++)
        if (image->pixels[i] != image->pixels[i - c]) return 0;
    return 1;
}

static int decode(const struct job *job, int i, struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    struct meta_image image;
    struct meta_error why;
    struct meta_image_reading reading = job->reading;
    if (job->thumbnails) reading.shorter = 0;
    if (meta_image_read(set->paths[i], &reading, &image, error)) return -1;
    if (job->thumbnails) meta_thumbnail(&image, &job->thumbnails[i]);
    int status = meta_image_fit(&image, job->reading.shorter, &why);
    set->largest[i] = image.largest;
    set->scaled[i] = (unsigned char)image.scaled;
    set->pixels[i] = image.pixels;
    set->digests[i] = image.digest;
    set->plain[i] = is_plain(&image);
    if (status) return meta_fail(error, "%s: %s", set->paths[i], why.text);
    set->w[i] = image.w;
    set->h[i] = image.h;
    return 0;
}

/* Images are begun in the order of the list, so when one fails, every earlier one is done or under
   way: the first of all that fail is always found. */
static void decode_one(void *context, int i, int worker)
{
    struct job *job = context;
    struct meta_dataset *set = job->set;
    struct meta_error why, line;
    if (job->why ? job->why[i] != NULL : i > atomic_load(&job->bad)) return;
    if (decode(job, i, &why)) {
        meta_fail(&line, "%s:%d: %s", set->list, set->lines[i], why.text);
        note(job, i, &line);
    }
    if (!job->why) return;
    free(set->pixels[i]);
    set->pixels[i] = NULL;
}

static int read_list(struct job *job, const struct meta_dataset_source *source,
                     struct meta_error *error)
{
    struct meta_lines lines = { 0 };
    const struct meta_data *data = source->data;
    const char *list = source->list;
    struct meta_dataset *set = job->set;
    if (!(set->list = strdup(list))) return meta_fail_memory_for(error, list);
    if (meta_data_need_labels(data, error)) return -1;
    if (meta_lines_read(&lines, list, error)) return meta_data_blame(data, list, error);
    set->count = lines.count;
    set->classes = data->classes;
    set->names = data->names;
    set->c = source->channels;
    set->paths = lines.line; /* handed over */
    set->lines = lines.number;
    set->arena = lines.text;
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
static int read_lines(struct job *job, const struct meta_data *data, struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    struct meta_error why;
    for (int i = 0; i < set->count; i++)
        if (find_label(set, i, data->labels, &why)) {
            note(job, i, &why);
            if (failed(job)) return -1;
        }
    if (check_repeats(job, error)) return -1;
    return data->groups ? read_groups(set, data, error) : 0;
}

/* Notes lines whose image is that of an earlier line of another class. */
static int check_copies(struct job *job, struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    if (meta_copies_find(set, set->copy_of, error)) return -1;
    for (int i = 0; i < set->count; i++) {
        struct meta_error why;
        int k = set->copy_of[i];
        if (k < 0 || set->label[i] < 0 || set->label[k] < 0 || set->label[i] == set->label[k])
            continue;
        meta_fail(&why,
                  "%s:%d: %s: is the same image as %s on line %d, which is of class %s, not %s: "
                  "must "
                  "be in one class",
                  set->list, set->lines[i], set->paths[i], set->paths[k], set->lines[k],
                  set->names[set->label[k]], set->names[set->label[i]]);
        note(job, i, &why);
    }
    return failed(job) ? -1 : 0;
}

static int read_images(struct job *job, const struct meta_data *data, struct meta_pool *pool,
                       struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    if (set->c != 1 && set->c != 3) return meta_fail(error, "channels=%d: must be 1 or 3", set->c);
    if (read_lines(job, data, error)) return -1;
    meta_pool_run(pool, set->count, decode_one, job);
    return failed(job) ? -1 : check_copies(job, error);
}

static struct job open_job(const struct meta_dataset_source *source, struct meta_error *error)
{
    struct job job = { .error = error, .bad = INT_MAX, .mutex = PTHREAD_MUTEX_INITIALIZER };
    int shorter = source->width > source->height ? source->width : source->height;
    job.reading =
        (struct meta_image_reading){ .channels = source->channels,
                                     .as_stored = source->orientation == META_ORIENTATION_STORED,
                                     .white = source->data->range,
                                     .shorter = source->side > shorter ? source->side : shorter,
                                     .in_full = source->data->decode == META_DECODE_FULL };
    job.set = calloc(1, sizeof *job.set);
    return job;
}

int meta_dataset_load(struct meta_dataset **out, const struct meta_dataset_source *source,
                      struct meta_pool *pool, struct meta_error *error)
{
    struct job job = open_job(source, error);
    if (!job.set) return meta_fail_memory_for(error, source->list);
    if (read_list(&job, source, error) || read_images(&job, source->data, pool, error)
        || meta_copies_unite(job.set, error) || meta_depth_check(job.set, source->data, error)) {
        meta_dataset_free(job.set);
        return -1;
    }
    *out = job.set;
    return 0;
}

int meta_dataset_outline(struct meta_dataset **out, const struct meta_data *data, const char *list,
                         struct meta_error *error)
{
    const struct meta_dataset_source source = { .data = data, .list = list };
    struct job job = open_job(&source, error);
    if (!job.set) return meta_fail_memory_for(error, list);
    if (read_list(&job, &source, error) || read_lines(&job, data, error)) {
        meta_dataset_free(job.set);
        return -1;
    }
    *out = job.set;
    return 0;
}

static void digest_one(void *context, int i, int worker)
{
    struct job *job = context;
    struct meta_error why;
    struct meta_digest *digest = &job->set->digests[i];
    if (!meta_digest_file(digest, job->set->paths[i], &why)) return;
    *digest = (struct meta_digest){ 0 };
    if (!access(job->set->paths[i], R_OK)) note(job, i, &why);
}

int meta_dataset_digest(struct meta_dataset *set, struct meta_pool *pool, struct meta_error *error)
{
    struct job job = { .set = set, .bad = INT_MAX, .error = error };
    pthread_mutex_init(&job.mutex, NULL);
    meta_pool_run(pool, set->count, digest_one, &job);
    pthread_mutex_destroy(&job.mutex);
    return failed(&job) ? -1 : 0;
}

/* Leaves out the lines that something is wrong with, and adds up the others. */
static void summarise(struct job *job, struct meta_survey *survey,
                      const struct meta_dataset_source *source)
{
    struct meta_dataset *set = job->set;
    int kept = 0;
    for (int i = 0; i < set->count; i++) {
        if (job->why[i]) survey->bad[survey->bad_count++] = job->why[i];
        if (job->why[i]) continue;
        survey->bytes += (size_t)set->w[i] * set->h[i] * set->c;
        survey->small += set->w[i] < source->width || set->h[i] < source->height;
        job->thumbnails[kept] = job->thumbnails[i];
        set->paths[kept] = set->paths[i];
        set->digests[kept] = set->digests[i];
        set->lines[kept] = set->lines[i];
        set->label[kept] = set->label[i];
        set->named_group[kept] = set->named_group[i];
        set->largest[kept] = set->largest[i];
        set->scaled[kept] = set->scaled[i];
        set->plain[kept] = set->plain[i];
        set->w[kept] = set->w[i];
        set->h[kept++] = set->h[i];
    }
    set->count = kept;
}

int meta_dataset_survey(struct meta_dataset **out, struct meta_survey *survey,
                        const struct meta_dataset_source *source, struct meta_pool *pool,
                        struct meta_error *error)
{
    struct job job = open_job(source, error);
    *survey = (struct meta_survey){ 0 };
    if (!job.set) return meta_fail_memory_for(error, source->list);
    if (read_list(&job, source, error)) goto fail;
    job.why = calloc(job.set->count, sizeof *job.why);
    survey->bad = calloc(job.set->count, sizeof *survey->bad);
    job.thumbnails = survey->thumbnails = malloc(job.set->count * sizeof *survey->thumbnails);
    if (!job.why || !survey->bad || !survey->thumbnails) {
        meta_fail_memory_for(error, source->list);
        goto fail;
    }
    if (read_images(&job, source->data, pool, error)) goto fail;
    if (atomic_load(&job.bad) != INT_MAX) {
        meta_fail_memory_for(error, source->list);
        goto fail;
    }
    summarise(&job, survey, source);
    free(job.why);
    job.why = NULL;
    if (meta_copies_unite(job.set, error)) goto fail;
    *out = job.set;
    return 0;
fail:
    for (int i = 0; job.why && i < job.set->count; i++) free(job.why[i]);
    free(job.why);
    meta_survey_clear(survey);
    meta_dataset_free(job.set);
    return -1;
}

void meta_survey_clear(struct meta_survey *survey)
{
    for (int i = 0; i < survey->bad_count; i++) free(survey->bad[i]);
    free(survey->bad);
    free(survey->thumbnails);
    *survey = (struct meta_survey){ 0 };
}

int meta_dataset_groupless(const struct meta_dataset *set)
{
    int n = 0;
    for (int i = 0; i < set->count; i++) n += set->named_group[i] < 0;
    return n;
}

int meta_dataset_copies(const struct meta_dataset *set)
{
    int n = 0;
    for (int i = 0; i < set->count; i++) n += set->copy_of[i] >= 0;
    return n;
}

int meta_dataset_scaled(const struct meta_dataset *set)
{
    int n = 0;
    for (int i = 0; set->scaled && i < set->count; i++) n += set->scaled[i];
    return n;
}

void meta_dataset_free(struct meta_dataset *set)
{
    if (!set) return;
    for (int i = 0; set->pixels && i < set->count; i++) free(set->pixels[i]);
    free(set->pixels);
    free(set->paths);
    free(set->digests);
    free(set->lines);
    free(set->label);
    free(set->group);
    free(set->named_group);
    free(set->copy_of);
    free(set->w);
    free(set->h);
    free(set->largest);
    free(set->scaled);
    free(set->plain);
    free(set->list);
    free(set->arena);
    free(set);
}
