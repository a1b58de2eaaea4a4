/* Refuses to write over files that the verb has not written. */
#include "own_output.h"
#include "base/head.h"

#include <stdio.h>

int meta_own_output(const char *flag, const char *path, int own, const char *verb,
                    struct meta_error *error)
{
    if (!path || own || !meta_head_there(path)) return 0;
    return meta_fail(error, "%s %s: is there and is not of %s: must be another name", flag, path,
                     verb);
}

int meta_own_json(const char *flag, const char *path, const char *verb, struct meta_error *error)
{
    char begin[100];
    snprintf(begin, sizeof begin, "{\"program\":\"darknet %s", verb);
    return meta_own_output(flag, path, meta_head_is(path, begin), verb, error);
}
