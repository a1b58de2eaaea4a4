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

#ifdef __cplusplus
extern "C" {
#endif

/* The messages of a failed allocation, "out of memory" and "WHAT: out of memory". Both return
   -1. */
int meta_fail_memory(struct meta_error *);
int meta_fail_memory_for(struct meta_error *, const char *what);
/* Whether either was ever called in this process: a caller may have gone on without what it wanted
   the memory for, so that no verb ends with success then. */
int meta_memory_refused(void);

#ifdef __cplusplus
}
#endif

#endif
