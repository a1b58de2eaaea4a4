/* Looks after the files that `meta adapt` writes, and writes NAME.data and NAME.names. */
#define _GNU_SOURCE
#include "adapt_files.h"
#include "adaptation/own_files.h"
#include "base/file.h"
#include "base/leftovers.h"
#include "base/path.h"
#include "base/text.h"
#include "network/export.h"
#include "tasks/depth.h"
#include "tasks/file_id.h"
#include "tasks/own_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* NAME.data and NAME.names; the caller frees both, which are NULL after a failure. */
static int name_files(const char *name, char **data, char **names, struct meta_error *error)
{
    if (asprintf(data, "%s.data", name) < 0) *data = NULL;
    if (asprintf(names, "%s.names", name) < 0) *names = NULL;
    if (*data && *names) return 0;
    free(*data);
    free(*names);
    *data = *names = NULL;
    return meta_fail_memory(error);
}

static int fail_foreign(const char *name, const char *end, struct meta_error *error)
{
    return meta_fail(error,
                     "-out %s: would overwrite %s%s, which is not of meta adapt: must be another "
                     "name",
                     name, name, end);
}

static int check_foreign(const char *name, int onnx, struct meta_error *error)
{
    const char *end = meta_own_files_foreign(name, onnx);
    return end ? fail_foreign(name, end, error) : 0;
}

static int check_named(const char *name, struct meta_error *error)
{
    char *data, *names;
    if (name_files(name, &data, &names, error)) return -1;
    const char *there = meta_own_data_is(data) ? NULL
        : !access(data, F_OK)                  ? ".data"
        : !access(names, F_OK)                 ? ".names"
                                               : NULL;
    int status = 0;
    if (there) status = fail_foreign(name, there, error);
    else if (strpbrk(name, "#;\r\n"))
        status = meta_fail(error,
                           "-out %s: must be a name without #, ; and line breaks, which can't "
                           "stand in a .data file",
                           name);
    else if (meta_file_check(data, error) || meta_file_check(names, error)) status = -1;
    free(data);
    free(names);
    return status;
}

int meta_adapt_files_named(const char *name, const char *data)
{
    char *own, *names;
    struct meta_error ignored;
    if (name_files(name, &own, &names, &ignored)) return 0;
    int named = meta_own_data_is(own) && !meta_file_id_same(own, data);
    free(own);
    free(names);
    return named;
}

int meta_adapt_files_check(const char *name, const char *cfg, const char *weights,
                           const struct meta_adapt_files *files, struct meta_error *error)
{
    if (meta_path_ends_in_folder(name))
        return meta_fail(error, "-out %s: is a folder: must be the name of the files in it", name);
    char *own_cfg, *own_weights;
    if (meta_export_paths(name, &own_cfg, &own_weights, error)) return -1;
    const char *same = meta_file_id_same(own_cfg, cfg) ? cfg
        : meta_file_id_same(own_weights, weights)      ? weights
                                                       : NULL;
    int status = 0;
    if (same)
        status = meta_fail(error,
                           "-out %s: would overwrite %s, which is adapted: must be another name",
                           name, same);
    else if (check_foreign(name, files->onnx, error) || meta_file_check(own_weights, error)
             || meta_file_check(own_cfg, error))
        status = -1;
    free(own_cfg);
    free(own_weights);
    return !status && files->named ? check_named(name, error) : status;
}

char *meta_adapt_files_onnx(const char *name, struct meta_error *error)
{
    char *path;
    if (asprintf(&path, "%s.onnx", name) >= 0) return path;
    meta_fail_memory(error);
    return NULL;
}

int meta_adapt_files_lock(struct meta_lock *own, const char *name, struct meta_error *error)
{
    const struct meta_lock_words words = { "another run of meta adapt writes these files",
                                           "wait for it, or give this one another -out" };
    char *lock, *cfg, *weights, *data, *names, *onnx;
    if (meta_export_paths(name, &cfg, &weights, error)) return -1;
    if (name_files(name, &data, &names, error)) {
        free(cfg);
        free(weights);
        return -1;
    }
    if (asprintf(&lock, "%s.lock", name) < 0) lock = NULL;
    if (asprintf(&onnx, "%s.onnx", name) < 0) onnx = NULL;
    int status = lock && onnx ? meta_lock_take(own, lock, 0, words, error)
                              : meta_fail_memory(error);
    if (!status) {
        meta_lock_guard(own);
        meta_leftovers_remove(onnx, NULL);
        meta_leftovers_remove(cfg, NULL);
        meta_leftovers_remove(weights, NULL);
        meta_leftovers_remove(data, NULL);
        meta_leftovers_remove(names, NULL);
    }
    free(data);
    free(names);
    free(lock);
    free(cfg);
    free(weights);
    free(onnx);
    return status;
}

static int begin_names(struct meta_new_file **file, const char *path, const struct meta_data *data,
                       struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    for (int k = 0; k < data->classes; k++) fprintf(text.file, "%s\n", data->names[k]);
    return meta_text_new_file(&text, 0, file, path, error);
}

void meta_adapt_files_warn(const char *name)
{
    if (meta_own_files_there(name, ".onnx"))
        fprintf(stderr,
                "darknet: warning: %s.onnx: is of another network than %s.weights: -onnx writes it "
                "anew\n",
                name, name);
}

/* A list's dark 16-bit files are taken as it has more bright ones; alone they would be refused. */
static int range_of(const struct meta_data *data, const struct meta_dataset *set)
{
    if (data->range) return data->range;
    return meta_depth_of(set).dark ? META_WHITE : 0;
}

int meta_adapt_files_names(struct meta_new_file *files[2], const char *name,
                           const struct meta_data *data, const struct meta_dataset *set,
                           struct meta_error *error)
{
    int range = range_of(data, set);
    char *own, *names;
    struct meta_text text;
    if (name_files(name, &own, &names, error)) return -1;
    int status = begin_names(&files[0], names, data, error);
    if (!status && !(status = meta_text_begin(&text, error))) {
        fprintf(text.file, META_OWN_DATA " from %s\nclasses = %d\nnames = %s\ntop = %d\n",
                data->path, data->classes, names, data->classes);
        if (range) fprintf(text.file, "range = %d\n", range);
        if (data->decode == META_DECODE_FULL) fputs("decode = full\n", text.file);
        status = meta_text_new_file(&text, 0, &files[1], own, error);
    }
    if (status && files[0]) {
        meta_new_file_drop(files[0]);
        files[0] = NULL;
    }
    free(own);
    free(names);
    return status;
}
