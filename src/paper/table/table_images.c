/* Tells which images a table is of, and keeps notes of that in its folder, so that results of other
   images under the same names are not paired, and images are read again only when their files have
   changed. */
#define _GNU_SOURCE
#include "table_images.h"
#include "base/checksum.h"
#include "base/json.h"
#include "base/pool.h"
#include "evaluation/json_files.h"
#include "tasks/data_file.h"
#include "tasks/file_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FORMAT 2 /* format 1 had a check sum of the sizes of the images' files for each list */

/* ---- notes ----------------------------------------------------------------------------------- */

/* Whether the notes are of format 1, which did not say so. */
static int is_by_size(const cJSON *known)
{
    return cJSON_IsObject(known) && known->child && !cJSON_HasObjectItem(known, "format")
        && cJSON_IsNumber(known->child);
}

/* Reads the notes that are there. What is wrong with them ends in what to do. */
static int read_notes(cJSON **known, const char *path, struct meta_error *error)
{
    struct meta_error why;
    int status = meta_json_read(known, path, &why);
    if (!status && is_by_size(*known))
        return meta_fail(error,
                         "%s: tells the images that the results there are of by the sizes of "
                         "their files, as version 1.0 of this program did: take another -out",
                         path);
    if (!status) status = meta_json_check(*known, path, meta_images_rules, &why);
    if (!status) return 0;
    return meta_fail(error,
                     "%.250s: remove it where no image has changed since the results there were "
                     "made, and it is made anew; else take another -out",
                     why.text);
}

/* What the folder has noted; empty when it has noted nothing. The caller deletes *known. */
static int read_known(cJSON **known, const struct meta_table *t, struct meta_error *error)
{
    char *path;
    int status = 0;
    *known = NULL;
    if (meta_table_text(&path, error, "%s/" META_TABLE_IMAGES, t->folder)) return -1;
    if (!access(path, F_OK)) status = read_notes(known, path, error);
    else {
        *known = cJSON_CreateObject();
        if (*known) cJSON_AddNumberToObject(*known, "format", FORMAT);
        else status = meta_fail_memory(error);
    }
    if (status) {
        cJSON_Delete(*known);
        *known = NULL;
    }
    free(path);
    return status;
}

static int write_known(const cJSON *known, const struct meta_table *t, struct meta_error *error)
{
    char *path;
    if (meta_table_text(&path, error, "%s/" META_TABLE_IMAGES, t->folder)) return -1;
    int status = meta_json_write(path, known, error);
    free(path);
    return status;
}

/* The noted digest `name` of a list. {0}: there is none. */
static struct meta_digest noted(const cJSON *known, const struct meta_table_list *l,
                                const char *name)
{
    struct meta_digest digest = { 0 };
    const cJSON *note = cJSON_GetObjectItemCaseSensitive(known, l->name);
    meta_digest_parse(&digest, meta_json_text(note, name));
    return digest;
}

static void note(cJSON *known, const struct meta_table_list *l)
{
    char images[META_DIGEST_TEXT], state[META_DIGEST_TEXT];
    meta_digest_text(images, l->id.images);
    meta_digest_text(state, l->state);
    cJSON_DeleteItemFromObjectCaseSensitive(known, l->name);
    cJSON *j = cJSON_AddObjectToObject(known, l->name);
    cJSON_AddNumberToObject(j, "count", l->count);
    cJSON_AddStringToObject(j, "xxh3_128", images);
    cJSON_AddStringToObject(j, "state", state);
}

/* Whether a digest is the noted one, which has lost its number of bytes. */
static int is_noted(struct meta_digest now, struct meta_digest then)
{
    return now.high == then.high && now.low == then.low;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Of the states of the images' files. */
static struct meta_digest state_of(const struct meta_dataset *set)
{
    struct meta_digest state = { 0 };
    for (int i = 0; i < set->count; i++) {
        struct meta_file_state own;
        meta_file_state_image(&own, set->paths[i]);
        state = meta_digest_add(state, &own, sizeof own);
    }
    return state;
}

static int read_files(struct meta_dataset *set, struct meta_error *error)
{
    struct meta_pool *pool;
    if (meta_pool_create(&pool, meta_pool_cores(), error)) return -1;
    int status = meta_dataset_digest(set, pool, error);
    meta_pool_free(pool);
    return status;
}

/* The classes that have images; -1: no memory. */
static int count_classes(const struct meta_dataset *set)
{
    int count = 0, *images = meta_dataset_class_counts(set);
    if (!images) return -1;
    for (int k = 0; k < set->classes; k++) count += images[k] > 0;
    free(images);
    return count;
}

static int identify(struct meta_table_list *l, const cJSON *known, const struct meta_data *data,
                    const char *list, struct meta_error *error)
{
    struct meta_dataset *set;
    uint32_t own;
    size_t bytes;
    if (meta_checksum_file(list, &own, &bytes, error)) return -1;
    if (meta_dataset_outline(&set, data, list, error)) return -1;
    *l = (struct meta_table_list){ .count = set->count,
                                   .classes = count_classes(set),
                                   .state = state_of(set) };
    snprintf(l->name, sizeof l->name, "list crc32:%08x", own);
    int kept = is_noted(l->state, noted(known, l, "state"));
    int status = l->classes < 0 ? meta_fail_memory(error) : kept ? 0 : read_files(set, error);
    if (!status) status = meta_identity(&l->id, set, error);
    if (kept) l->id.images = noted(known, l, "xxh3_128");
    meta_dataset_free(set);
    return status;
}

/* Fills in what the table depends on of its source at `place`, of which the first is tested on. */
static int identify_source(struct meta_table *t, int place, const cJSON *known,
                           struct meta_error *error)
{
    struct meta_table_source *s = &t->sources[place];
    struct meta_data *data;
    int trains = 0, status = 0;
    if (s->missing) return 0;
    for (int i = 0; i < t->row_count; i++)
        trains |= t->rows[i].train != META_TABLE_NONE && t->rows[i].source == place;
    if (meta_data_read(&data, s->data, error)) return -1;
    s->has_valid = data->valid != NULL;
    s->classes = data->classes;
    s->decode = data->decode;
    s->range = data->range;
    const char *tested = t->valid ? data->valid : data->test;
    const char *lists[META_TABLE_LISTS] = { trains ? data->train : NULL, place ? NULL : tested };
    for (int i = 0; i < META_TABLE_LISTS && !status; i++)
        if (lists[i]) status = identify(&s->lists[i], known, data, lists[i], error);
    meta_data_free(data);
    return status;
}

int meta_table_identify(struct meta_table *t, struct meta_error *error)
{
    cJSON *known;
    int status = read_known(&known, t, error);
    for (int k = 0; k < t->source_count && !status; k++)
        status = identify_source(t, k, known, error);
    cJSON_Delete(known);
    return status;
}

/* Compares a list with what the folder has noted of it, and notes what is new; *changed: with
   something to be written. */
static int compare_list(cJSON *known, const struct meta_table *t, const struct meta_table_source *s,
                        int which, int *changed, struct meta_error *error)
{
    const struct meta_table_list *l = &s->lists[which];
    if (!l->count) return 0;
    if (cJSON_HasObjectItem(known, l->name) && !is_noted(l->id.images, noted(known, l, "xxh3_128")))
        return meta_fail(error,
                         "%s: the images of its %s list are not those that the results "
                         "in %s are of: bring them back, or take another -out",
                         s->data, meta_table_list_name(t, which), t->folder);
    *changed |= !is_noted(l->state, noted(known, l, "state"));
    note(known, l);
    return 0;
}

int meta_table_images(const struct meta_table *t, int keep, struct meta_error *error)
{
    cJSON *known;
    int changed = 0, status = 0;
    if (t->sources->missing) return 0;
    if (read_known(&known, t, error)) return -1;
    for (int k = 0; k < t->source_count; k++)
        for (int i = 0; i < META_TABLE_LISTS && !status; i++)
            status = compare_list(known, t, &t->sources[k], i, &changed, error);
    if (!status && keep && changed) status = write_known(known, t, error);
    cJSON_Delete(known);
    return status;
}
