/* Reads the images of a list: their classes and groups, and their pixels. */
#include "copies_internal.h"
#include "dataset_internal.h"
#include "depth.h"
#include "list_place.h"
#include "config/net_section.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "images/image_place.h"
#include "images/thumbnail.h"
#include "base/pool.h"

static int is_plain(const struct meta_image *image)
{
    size_t numbers = (size_t)image->w * image->h * image->c, c = image->c;
    for (size_t i = c; i < numbers; i++)
        if (image->pixels[i] != image->pixels[i - c]) return 0;
    return 1;
}

static int decode(const struct meta_job *job, int i, struct meta_error *error)
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
    struct meta_job *job = context;
    struct meta_dataset *set = job->set;
    struct meta_error why, line;
    if (job->why ? job->why[i] != NULL : i > atomic_load(&job->bad)) return;
    if (meta_job_cache_take(job, i)) return;
    if (decode(job, i, &why)) {
        meta_fail(&line, "%s%s", meta_list_place(set->list, set->lines[i]).text, why.text);
        meta_job_note(job, i, &line);
    } else meta_job_cache_decoded(job, i);
    if (!job->why) return;
    free(set->pixels[i]);
    set->pixels[i] = NULL;
}

int meta_job_read_images(struct meta_job *job, const struct meta_data *data, struct meta_pool *pool,
                         struct meta_error *error)
{
    struct meta_dataset *set = job->set;
    if (set->c != 1 && set->c != 3) return meta_fail(error, "channels=%d: must be 1 or 3", set->c);
    if (meta_job_read_lines(job, data, error)) return -1;
    meta_pool_run(pool, set->count, decode_one, job);
    return meta_job_failed(job) ? -1 : meta_job_check_copies(job, error);
}

struct meta_job meta_job_open(const struct meta_dataset_source *source, struct meta_error *error)
{
    struct meta_job job = { .error = error, .bad = INT_MAX, .mutex = PTHREAD_MUTEX_INITIALIZER };
    int shorter = source->width > source->height ? source->width : source->height;
    job.reading =
        (struct meta_image_reading){ .channels = source->channels,
                                     .as_stored = source->orientation == META_ORIENTATION_STORED,
                                     .white = source->data->range,
                                     .shorter = source->side > shorter ? source->side : shorter,
                                     .in_full = source->data->decode == META_DECODE_FULL };
    job.set = calloc(1, sizeof *job.set);
    if (job.set) job.set->range = source->data->range;
    return job;
}

static int load(struct meta_dataset **out, const struct meta_dataset_source *source,
                struct meta_pool *pool, struct meta_error *error)
{
    struct meta_job job = meta_job_open(source, error);
    if (!job.set) return meta_fail_memory_for(error, source->list);
    int status = meta_job_read_list(&job, source, error) || meta_job_cache_open(&job, source, error)
        || meta_job_read_images(&job, source->data, pool, error)
        || meta_copies_unite(job.set, error) || meta_depth_check(job.set, source->data, error);
    if (!status) meta_job_cache_write(&job);
    meta_job_cache_clear(&job);
    if (status) {
        meta_dataset_free(job.set);
        return -1;
    }
    *out = job.set;
    return 0;
}

int meta_dataset_load(struct meta_dataset **out, const struct meta_dataset_source *source,
                      struct meta_pool *pool, struct meta_error *error)
{
    if (load(out, source, pool, error)) return -1;
    if (!source->shared || !(*out)->cached) return 0;
    char *note = (*out)->note;
    (*out)->note = NULL;
    meta_dataset_free(*out);
    if (load(out, source, pool, error)) {
        free(note);
        return -1;
    }
    free((*out)->note);
    (*out)->note = note;
    return 0;
}

int meta_dataset_outline(struct meta_dataset **out, const struct meta_data *data, const char *list,
                         struct meta_error *error)
{
    const struct meta_dataset_source source = { .data = data, .list = list };
    struct meta_job job = meta_job_open(&source, error);
    if (!job.set) return meta_fail_memory_for(error, list);
    if (meta_job_read_list(&job, &source, error) || meta_job_read_lines(&job, data, error)) {
        meta_dataset_free(job.set);
        return -1;
    }
    *out = job.set;
    return 0;
}

static void digest_one(void *context, int i, int worker)
{
    struct meta_job *job = context;
    struct meta_error why;
    struct meta_digest *digest = &job->set->digests[i];
    struct meta_image_place place;
    int status = meta_image_place_find(&place, job->set->paths[i], &why);
    if (!status && !(status = meta_digest_file(digest, place.file, &why)))
        *digest = meta_image_place_digest(*digest, place.frame);
    else *digest = (struct meta_digest){ 0 };
    if (status && (!place.file || !access(place.file, R_OK))) meta_job_note(job, i, &why);
    free(place.file);
}

int meta_dataset_digest(struct meta_dataset *set, struct meta_pool *pool, struct meta_error *error)
{
    struct meta_job job = { .set = set, .bad = INT_MAX, .error = error };
    pthread_mutex_init(&job.mutex, NULL);
    meta_pool_run(pool, set->count, digest_one, &job);
    pthread_mutex_destroy(&job.mutex);
    return meta_job_failed(&job) ? -1 : 0;
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

int meta_dataset_white(const struct meta_dataset *set)
{
    int sampled = 0;
    for (int i = 0; set->largest && i < set->count; i++) sampled |= set->largest[i] > 0;
    return sampled && set->range != META_WHITE ? set->range : 0;
}

int *meta_dataset_class_counts(const struct meta_dataset *set)
{
    int *count = calloc((size_t)set->classes + 1, sizeof *count);
    for (int i = 0; count && i < set->count; i++) count[set->label[i]]++;
    return count;
}

void meta_dataset_free(struct meta_dataset *set)
{
    if (!set) return;
    for (int i = 0; set->pixels && i < set->count; i++)
        if (!meta_cache_holds(set->cache, set->pixels[i])) free(set->pixels[i]);
    meta_cache_close(set->cache);
    free(set->note);
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

int meta_dataset_clusters(const struct meta_dataset *d, int *group, int *groups,
                          struct meta_error *error)
{
    int most = -1;
    for (int i = 0; i < d->count; i++)
        if (d->group[i] > most) most = d->group[i];
    int *number = malloc(((size_t)most + 2) * sizeof *number);
    if (!number) return meta_fail_memory(error);
    for (int g = 0; g <= most; g++) number[g] = -1;
    *groups = 0;
    for (int i = 0; i < d->count; i++) {
        int *known = d->group[i] < 0 ? NULL : &number[d->group[i]];
        group[i] = known && *known >= 0 ? *known : (*groups)++;
        if (known) *known = group[i];
    }
    free(number);
    return 0;
}
