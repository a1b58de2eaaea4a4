/* Reads a .data file, or makes what it would say of a folder of classes or a CSV. */
#include "data_open.h"
#include "labelled.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int refuse(const char *flag, const char *key, const char *path, struct meta_error *error)
{
    return meta_fail(error, "%s: is for a folder or a CSV: must be %s= in %s", flag, key, path);
}

static int copy(char **out, const char *text, struct meta_error *error)
{
    return (*out = strdup(text)) ? 0 : meta_fail_memory_for(error, text);
}

static int fill(struct meta_data *data, const struct meta_data_flags *flags,
                struct meta_error *error)
{
    const struct meta_labelled *l = data->labelled;
    int folders = flags->groups && !strcmp(flags->groups, META_GROUPS_FOLDERS);
    if (!(data->names = calloc((size_t)l->classes + 1, sizeof *data->names)))
        return meta_fail_memory_for(error, l->from);
    for (; data->classes < l->classes; data->classes++)
        if (copy(&data->names[data->classes], l->names[data->classes], error)) return -1;
    data->range = flags->range;
    data->decode = flags->decode;
    if (copy(&data->path, l->from, error) || copy(&data->train, l->from, error)
        || copy(&data->cache, "off", error))
        return -1;
    if (!l->grouped || folders) return 0;
    return copy(&data->groups, flags->groups ? flags->groups : l->from, error);
}

int meta_data_flags_taken(struct meta_data_flags *taken, const char *path,
                          const struct meta_data_flags *said, struct meta_error *error)
{
    struct meta_labelled *csv;
    struct stat s;
    *taken = (struct meta_data_flags){ 0 };
    if (!meta_labelled_is(path)) return 0;
    *taken = *said;
    if (!said->groups || (!stat(path, &s) && S_ISDIR(s.st_mode))) return 0;
    if (!strcmp(said->groups, META_GROUPS_FOLDERS)) {
        taken->groups = NULL;
        return 0;
    }
    if (meta_labelled_read(&csv, path, NULL, error)) return -1;
    if (csv->grouped) taken->groups = NULL;
    meta_labelled_free(csv);
    return 0;
}

int meta_data_open(struct meta_data **out, const char *path, const struct meta_data_flags *flags,
                   struct meta_error *error)
{
    if (!meta_labelled_is(path)) {
        if (flags->groups) return refuse("-groups", "groups", path, error);
        if (flags->range) return refuse("-range", "range", path, error);
        return meta_data_read(out, path, error);
    }
    struct meta_data *data = calloc(1, sizeof *data);
    if (!data) return meta_fail_memory_for(error, path);
    if (meta_labelled_read(&data->labelled, path, flags->groups, error)
        || fill(data, flags, error)) {
        meta_data_free(data);
        return -1;
    }
    *out = data;
    return 0;
}

int meta_data_match(struct meta_data *data, char *const *names, int count, const char *whose,
                    struct meta_error *error)
{
    char **copies = calloc((size_t)count + 1, sizeof *copies);
    int status = copies ? 0 : meta_fail_memory_for(error, data->path);
    for (int k = 0; k < count && !status; k++) status = copy(&copies[k], names[k], error);
    if (!status) status = meta_labelled_match(data->labelled, names, count, whose, error);
    if (status) {
        for (int k = 0; copies && k < count; k++) free(copies[k]);
        free(copies);
        return -1;
    }
    for (int k = 0; k < data->classes; k++) free(data->names[k]);
    free(data->names);
    data->names = copies;
    data->classes = count;
    return 0;
}

int meta_data_grouped(const struct meta_data *data)
{
    return data->labelled ? data->labelled->grouped : data->groups != NULL;
}

const char *meta_data_groups_source(const struct meta_data *data)
{
    return data->groups ? data->groups : "-groups " META_GROUPS_FOLDERS;
}
