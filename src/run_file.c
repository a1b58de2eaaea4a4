#define _GNU_SOURCE
#include "run_file.h"

#include <stdio.h>

int meta_run_file(char **path, enum meta_run_file file, const char *folder, const char *name, struct meta_error *error)
{
    static const char *const prefixes[] = { [META_RUN_CHART] = "chart_" };
    static const char *const suffixes[] = { [META_RUN_STATE] = ".state", [META_RUN_BACKUP] = ".backup", [META_RUN_FINAL] = "_final.weights",
                                            [META_RUN_LOG] = ".csv", [META_RUN_CHART] = ".png" };
    if (asprintf(path, "%s/%s%s%s", folder, prefixes[file] ? prefixes[file] : "", name, suffixes[file]) >= 0) return 0;
    *path = NULL;
    return meta_fail(error, "out of memory");
}
