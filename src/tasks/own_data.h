/* The .data files that `meta adapt` writes, whose names lie beside them wherever they are. */
#ifndef META_OWN_DATA_H
#define META_OWN_DATA_H

#include "base/error.h"

/* How the first line of such a file begins. */
#define META_OWN_DATA "# Written by darknet meta adapt"

/* Whether `path` is one that can be read. */
int meta_own_data_is(const char *path);
/* Of such a NAME.data turns *names, which its line `line` has and the caller owns, into NAME.names
   beside it: Darknet would look in the working folder, where another classifier's may lie. A file
   of another name stays where NAME.names is not there; where both are, it is an error. */
int meta_own_data_names(char **names, const char *path, int line, struct meta_error *);

#endif
