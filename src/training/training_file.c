/* Puts the names of a training's files together. */
#define _GNU_SOURCE
#include "training_file.h"

#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = { [META_TRAINING_CHART] = "chart_" };
static const char *const suffixes[] = { [META_TRAINING_STATE] = ".state",
                                        [META_TRAINING_BACKUP] = ".backup",
                                        [META_TRAINING_FINAL] = "_final.weights",
                                        [META_TRAINING_LOG] = ".csv",
                                        [META_TRAINING_CHART] = ".png" };

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
