/* Errors by value: functions return 0 or -1 with one line in a struct meta_error; only the
   command-line layer prints or exits. struct meta_error lives in plugins/plugin.h, which plugins
   share; they have a meta_fail() of their own, which cuts a long message at its end. */
#ifndef META_ERROR_H
#define META_ERROR_H

#define META_HOST
#include "../../plugins/plugin.h"

/* int meta_fail(struct meta_error *, const char *format, ...) writes the message and returns -1.
   One that does not fit is cut in the middle of its longest words, which are paths, so that where
   it begins, what is wrong and what is allowed all stay. The arguments may lie in the error that is
   written. */

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
