/* Looks at the images of a list without keeping them. */
#include "copies_internal.h"
#include "dataset_internal.h"

#include <limits.h>
#include <stdlib.h>

#include "images/thumbnail.h"

/* Leaves out the lines that something is wrong with, and adds up the others. */
static void summarise(struct meta_job *job, struct meta_survey *survey,
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
    struct meta_job job = meta_job_open(source, error);
    *survey = (struct meta_survey){ 0 };
    if (!job.set) return meta_fail_memory_for(error, source->list);
    if (meta_job_read_list(&job, source, error)) goto fail;
    job.why = calloc(job.set->count, sizeof *job.why);
    survey->bad = calloc(job.set->count, sizeof *survey->bad);
    job.thumbnails = survey->thumbnails = malloc(job.set->count * sizeof *survey->thumbnails);
    if (!job.why || !survey->bad || !survey->thumbnails) {
        meta_fail_memory_for(error, source->list);
        goto fail;
    }
    if (meta_job_read_images(&job, source->data, pool, error)) goto fail;
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
