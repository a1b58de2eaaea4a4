/* Puts the names of a training's files together. */
#define _GNU_SOURCE
#include "training_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

static const char *const prefixes[] = {
    [META_TRAINING_CHART] = "chart_", [META_TRAINING_LOCK] = NULL
};
static const char *const suffixes[] = { [META_TRAINING_STATE] = ".state",
                                        [META_TRAINING_BACKUP] = ".backup",
                                        [META_TRAINING_FINAL] = "_final.weights",
                                        [META_TRAINING_BEST] = "_best.weights",
                                        [META_TRAINING_AVERAGE] = "_average.weights",
                                        [META_TRAINING_LOG] = ".csv",
                                        [META_TRAINING_LINES] = ".jsonl",
                                        [META_TRAINING_CHART] = ".png",
                                        [META_TRAINING_BEFORE] = "_before.state",
                                        [META_TRAINING_SENT] = "_sent.csv",
                                        [META_TRAINING_LOCK] = ".lock" };

char *meta_training_name(const char *cfg, uint64_t seed, struct meta_error *error)
{
    char *stem = meta_path_stem(cfg), *name = stem;
    if (stem && seed != META_TRAINING_SEED) {
        if (asprintf(&name, "%s-seed%llu", stem, (unsigned long long)seed) < 0) name = NULL;
        free(stem);
    }
    if (!name) meta_fail_memory(error);
    return name;
}

int meta_training_check_name(const char *name, struct meta_error *error)
{
    /* the longest are NAME_100000000.weights and its temporary file's ".tmp.PID.N" */
    const int most = NAME_MAX - 60, length = strlen(name);
    if (!length || *name == '.' || strchr(name, '/'))
        return meta_fail(error,
                         "-name %.60s: must be the name of a training, without a slash or a dot "
                         "in front",
                         name);
    const char *end = strrchr(name, '_');
    if (end && (!strcmp(end, "_before") || !strcmp(end, "_sent")))
        return meta_fail(error, "-name %.60s: must not end in %s, as files of the training %.*s do",
                         name, end, (int)(end - name < 60 ? end - name : 60), name);
    if (length <= most) return 0;
    return meta_fail(error,
                     "%.40s...: is too long for the files of a training: %d bytes, %d allowed: "
                     "give it another -name",
                     name, length, most);
}

int meta_training_file(char **path, enum meta_training_file file, const char *folder,
                       const char *name, struct meta_error *error)
{
    if (asprintf(path, "%s/%s%s%s", folder, prefixes[file] ? prefixes[file] : "", name,
                 suffixes[file])
        >= 0)
        return 0;
    *path = NULL;
    return meta_fail_memory(error);
}

int meta_training_numbered(char **path, const char *folder, const char *name, uint64_t number,
                           struct meta_error *error)
{
    char digits[24] = "";
    if (number) snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    if (asprintf(path, "%s/%s_%s%s", folder, name, digits, number ? META_TRAINING_NUMBERED : "")
        >= 0)
        return 0;
    *path = NULL;
    return meta_fail_memory(error);
}

int meta_training_log_of(char **path, const char *state, struct meta_error *error)
{
    size_t n = strlen(state), end = strlen(suffixes[META_TRAINING_STATE]);
    *path = NULL;
    if (n <= end || strcmp(state + n - end, suffixes[META_TRAINING_STATE])) return 0;
    if (asprintf(path, "%.*s%s", (int)(n - end), state, suffixes[META_TRAINING_LOG]) >= 0) return 0;
    *path = NULL;
    return meta_fail_memory(error);
}
