/* Finds the names of a .data file that `meta adapt` wrote beside it, not in the working folder. */
#include "own_data.h"
#include "base/head.h"
#include "base/path.h"
#include "file_id.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int meta_own_data_is(const char *path) { return meta_head_is(path, META_OWN_DATA); }

int meta_own_data_names(char **names, const char *path, int line, struct meta_error *error)
{
    if (!meta_own_data_is(path)) return 0;
    char *beside = meta_path_beside(path, ".names");
    if (!beside) return meta_fail_memory_for(error, path);
    int renamed = strcmp(meta_path_base(*names), meta_path_base(beside)) != 0, status = 0;
    int there = !access(beside, F_OK);
    if (renamed && there && !access(*names, F_OK) && !meta_file_id_same(*names, beside))
        status = meta_fail(error,
                           "%s:%d: names=%s: must be %s, which is there, too, in a file that meta "
                           "adapt wrote; without its first line it may be another",
                           path, line, *names, beside);
    if (status || (renamed && !there)) {
        free(beside);
        return status;
    }
    free(*names);
    *names = beside;
    return 0;
}
