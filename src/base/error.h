/* Errors by value: functions return 0 or -1 with one line in a struct meta_error; only the
   command-line layer prints or exits. struct meta_error and meta_fail() live in plugins/plugin.h,
   which plugins share. */
#ifndef META_ERROR_H
#define META_ERROR_H

#include "../../plugins/plugin.h"

/* The messages of a failed allocation, "out of memory" and "WHAT: out of memory". Both return
   -1. */
static inline int meta_fail_memory(struct meta_error *error)
{
    return meta_fail(error, "out of memory");
}
static inline int meta_fail_memory_for(struct meta_error *error, const char *what)
{
    return meta_fail(error, "%s: out of memory", what);
}

#endif
