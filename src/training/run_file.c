#define _GNU_SOURCE
#include "run_file.h"

#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = { [META_RUN_CHART] = "chart_" };
static const char *const suffixes[] = { [META_RUN_STATE] = ".state", [META_RUN_BACKUP] = ".backup", [META_RUN_FINAL] = "_final.weights",
                                        [META_RUN_LOG] = ".csv", [META_RUN_CHART] = ".png" };

int meta_run_file(char **path, enum meta_run_file file, const char *folder, const char *name, struct meta_error *error)
{
    if (asprintf(path, "%s/%s%s%s", folder, prefixes[file] ? prefixes[file] : "", name, suffixes[file]) >= 0) return 0;
    *path = NULL;
    return meta_fail_memory(error);
}

int meta_run_numbered(char **path, const char *folder, const char *name, uint64_t number, struct meta_error *error)
{
    char digits[24] = "";
    if (number) snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    if (asprintf(path, "%s/%s_%s%s", folder, name, digits, number ? META_RUN_NUMBERED : "") >= 0) return 0;
    *path = NULL;
    return meta_fail_memory(error);
}

int meta_run_log_of(char **path, const char *state, struct meta_error *error)
{
    size_t n = strlen(state), end = strlen(suffixes[META_RUN_STATE]);
    *path = NULL;
    if (n <= end || strcmp(state + n - end, suffixes[META_RUN_STATE])) return 0;
    if (asprintf(path, "%.*s%s", (int)(n - end), state, suffixes[META_RUN_LOG]) >= 0) return 0;
    *path = NULL;
    return meta_fail_memory(error);
}
