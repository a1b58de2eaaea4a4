/* Where the files lie that belong to the program, or to the library that this code is part of. */
#ifndef META_PLACE_H
#define META_PLACE_H

#include "error.h"

/* The file or folder `name` that was built or installed with this code: in darknet-meta/ beside an
   installed library, beside a program or library that was built, or in ../lib/darknet-meta/ of an
   installed program. The first that is there, without links; where none is, the path that it has
   when it is built. The caller frees; NULL with the message: no memory, or no way to tell. */
char *meta_place_find(const char *name, struct meta_error *);

/* The reason of the last dlerror(), without the path that the loader may have put before it. */
const char *meta_place_reason(const char *path);

#endif
