/* Files that a verb may write over: those that it has written. */
#ifndef META_OWN_OUTPUT_H
#define META_OWN_OUTPUT_H

#include "base/error.h"

/* Fails where `path`, of that flag, is there with something in it and is not the verb's own.
   Nothing is wrong with path=NULL. */
int meta_own_output(const char *flag, const char *path, int own, const char *verb,
                    struct meta_error *);
/* Likewise of the JSON of a verb that begins with the member program: "darknet VERB...". */
int meta_own_json(const char *flag, const char *path, const char *verb, struct meta_error *);

#endif
