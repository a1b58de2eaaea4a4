/* Takes the images of a list from its cache file, each only when its own file has not changed and
   its pixels have their check sum, and writes the cache anew when others were decoded. */
#define _GNU_SOURCE
#include "dataset_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/plural.h"
#include "images/image_version.h"

/* A file that was changed so shortly before could be changed again without another time: the
   kernel's clock of files goes in steps of up to 10 ms. */
#define TOO_NEW 20000000 /* nanoseconds */

/* LIST.84x3.cache: the pixels that the shorter side is kept at, and the channels; and what differs
   from the defaults. So trainings of other sizes have files of their own. */
static char *name_of(const struct meta_dataset_source *source, const struct meta_image_reading *r)
{
    const char *folder = source->data->cache;
    char *path, white[16] = "";
    if (r->white) snprintf(white, sizeof white, "-r%d", r->white);
    if (asprintf(&path, "%s%s%s.%dx%d%s%s%s.cache", folder ? folder : "", folder ? "/" : "",
                 folder ? meta_path_base(source->list) : source->list, r->shorter, r->channels,
                 r->as_stored ? "-stored" : "", white, r->in_full ? "-full" : "")
        < 0)
        return NULL;
    return path;
}

static struct meta_digest key_of(const struct meta_image_reading *r)
{
    const int options[] = { r->channels, r->as_stored, r->white, r->shorter, r->in_full };
    char decoders[META_IMAGE_DECODERS];
    struct meta_digest key = meta_digest(options, sizeof options);
    meta_image_decoders(decoders);
    return meta_digest_add(key, decoders, strlen(decoders));
}

/* Whether a file beside the list would be one of the system's: the list is a stream of this
   program. */
static int is_of_system(const char *list)
{
    int of_devices = !strncmp(list, "/dev/", 5) && strncmp(list, "/dev/shm/", 9);
    return of_devices || !strncmp(list, "/proc/", 6);
}

int meta_job_cache_open(struct meta_job *job, const struct meta_dataset_source *source,
                        struct meta_error *error)
{
    struct meta_job_cache *c = &job->cache;
    struct meta_dataset *set = job->set;
    const char *folder = source->data->cache;
    size_t n = (size_t)set->count;
    if (!source->cache || (folder ? !strcmp(folder, "off") : is_of_system(source->list))) return 0;
    c->kind = (struct meta_cache_kind){ key_of(&job->reading), job->reading.channels };
    c->path = name_of(source, &job->reading);
    c->found = malloc(n * sizeof *c->found);
    c->states = calloc(n, sizeof *c->states);
    c->sums = calloc(n, sizeof *c->sums);
    if (!c->path || !c->found || !c->states || !c->sums)
        return meta_fail_memory_for(error, set->list);
    for (size_t i = 0; i < n; i++) c->found[i] = -1;
    c->there = meta_cache_open(&set->cache, c->path, &c->kind, &c->why) || set->cache;
    if (set->cache && meta_cache_find(set->cache, set->paths, set->count, c->found))
        return meta_fail_memory_for(error, set->list);
    return 0;
}

static int is_too_new(const struct meta_file_state *state)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t past = (now.tv_sec - state->changed) * 1000000000 + now.tv_nsec - state->changed_ns;
    return past > -TOO_NEW && past < TOO_NEW;
}

int meta_job_cache_take(struct meta_job *job, int i)
{
    struct meta_job_cache *c = &job->cache;
    struct meta_dataset *set = job->set;
    if (!c->path || meta_file_state_image(&c->states[i], set->paths[i])) return 0;
    struct meta_file_state state = c->states[i];
    if (is_too_new(&state)) c->states[i] = (struct meta_file_state){ 0 };
    if (c->found[i] < 0) return 0;
    const struct meta_cache_image image = meta_cache_image(set->cache, c->found[i]);
    if (memcmp(&image.state, &state, sizeof state)) return 0;
    size_t bytes = (size_t)image.w * (size_t)image.h * (size_t)set->c;
    if (meta_cache_sum(image.pixels, bytes) != image.sum) {
        atomic_fetch_add(&c->damaged, 1);
        return 0;
    }
    set->pixels[i] = (unsigned char *)image.pixels;
    set->w[i] = image.w;
    set->h[i] = image.h;
    set->largest[i] = image.largest;
    set->plain[i] = image.plain;
    set->scaled[i] = image.scaled;
    set->digests[i] = image.digest;
    c->sums[i] = image.sum;
    return 1;
}

void meta_job_cache_decoded(struct meta_job *job, int i)
{
    struct meta_job_cache *c = &job->cache;
    const struct meta_dataset *set = job->set;
    if (!c->path) return;
    c->sums[i] = meta_cache_sum(set->pixels[i],
                                (size_t)set->w[i] * (size_t)set->h[i] * (size_t)set->c);
    atomic_fetch_add(&c->decoded, 1);
}

/* Makes the folder that the .data file names, where it is not there. */
static int make_folder(const char *path, struct meta_error *why)
{
    char *folder = meta_path_folder(path);
    int status = folder ? meta_path_make_folder(folder, why) : meta_fail(why, "no memory");
    free(folder);
    return status;
}

static int write_file(const struct meta_job *job, size_t *bytes, struct meta_error *why)
{
    const struct meta_job_cache *c = &job->cache;
    const struct meta_dataset *set = job->set;
    struct meta_cache_image *images = malloc((size_t)set->count * sizeof *images);
    if (!images) return meta_fail(why, "no memory");
    for (int i = 0; i < set->count; i++)
        images[i] = (struct meta_cache_image){ .path = set->paths[i],
                                               .state = c->states[i],
                                               .digest = set->digests[i],
                                               .w = set->w[i],
                                               .h = set->h[i],
                                               .largest = set->largest[i],
                                               .plain = set->plain[i],
                                               .scaled = set->scaled[i],
                                               .pixels = set->pixels[i],
                                               .sum = c->sums[i] };
    int status = make_folder(c->path, why)
            || meta_cache_write(c->path, &c->kind, images, set->count, bytes, why)
        ? -1
        : 0;
    free(images);
    return status;
}

/* Why the file is made anew, in `text`. */
static void say_why(char *text, size_t size, struct meta_job *job)
{
    struct meta_job_cache *c = &job->cache;
    int damaged = atomic_load(&c->damaged), decoded = atomic_load(&c->decoded);
    if (!job->set->cache) snprintf(text, size, "%s", c->why.text);
    else if (damaged)
        snprintf(text, size, "%d of its images %s damaged", damaged, damaged == 1 ? "is" : "are");
    else
        snprintf(text, size, "%d of %d image%s %s new or changed", decoded, job->set->count,
                 meta_plural(job->set->count), decoded == 1 ? "is" : "are");
}

void meta_job_cache_write(struct meta_job *job)
{
    struct meta_job_cache *c = &job->cache;
    struct meta_error note, why, failure;
    size_t bytes;
    if (!c->path || !atomic_load(&c->decoded)) return;
    say_why(why.text, sizeof why.text, job);
    job->set->cached = !write_file(job, &bytes, &failure);
    if (!job->set->cached)
        meta_fail(&note, "%s: %s%scan't be written: %s: images are decoded at each start", c->path,
                  c->there ? why.text : "", c->there ? ", " : "", failure.text);
    else if (c->there) meta_fail(&note, "%s: %s: it was made anew", c->path, why.text);
    else
        meta_fail(&note, "%s: keeps the decoded images of %s, %.1f MB, for later starts", c->path,
                  job->set->list, (double)bytes / 1e6);
    job->set->note = strdup(note.text);
}

void meta_job_cache_clear(struct meta_job *job)
{
    struct meta_job_cache *c = &job->cache;
    free(c->path);
    free(c->found);
    free(c->states);
    free(c->sums);
    *c = (struct meta_job_cache){ 0 };
}
