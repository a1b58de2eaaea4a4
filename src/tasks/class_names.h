/* Names that tell a task's classes apart. */
#ifndef META_CLASS_NAMES_H
#define META_CLASS_NAMES_H

#include "base/error.h"

/* Darknet takes several classes of one name: its own imagenet.shortnames.list has two cranes. Puts
   " (class K)", K counted from 0, behind each such name, and behind every name where a name would
   still stand twice. names (n) belong to the caller, to be freed also after a failure. */
int meta_class_names_tell_apart(char **names, int n, struct meta_error *);
/* Finds the first name (pair[0]) that another (pair[1]) differs from in the case of its letters
   alone, as where people type them; 0: there is none, or no memory. */
int meta_class_names_alike(int pair[2], char *const *names, int n);

#endif
