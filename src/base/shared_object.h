/* Shared objects, looked at before the loader gets them. */
#ifndef META_SHARED_OBJECT_H
#define META_SHARED_OBJECT_H

#include "error.h"

/* Fails where `path` is no file, so that opening it might wait for ever, or where the file ends
   before the segments that its ELF header names: dlopen maps such a file, and the process dies
   where it reads what is missing. A file that can't be opened, or is no ELF file of this machine,
   is left to dlopen, which says so. The message names the path. */
int meta_shared_object_check(const char *path, struct meta_error *);

#endif
