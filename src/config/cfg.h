/* Reads Darknet's .cfg and .data files, and .table files, into sections of key = value with line numbers. CRLF, comments (# or ;, whole-line
   or after a value) and blank lines are read; a line that is none of these is an error with its number. Blanks inside a line of a
   .cfg do not count, as in Darknet; in a .data file those inside a value are part of it, and a comment follows a blank: paths. */
#ifndef META_CFG_H
#define META_CFG_H

#include "base/error.h"

struct meta_pair { char *key, *value; int line; };
struct meta_section { char *name; int line; int count; struct meta_pair *pairs; };   /* name without brackets */
struct meta_cfg { char *path; int count; struct meta_section *sections; };

/* A .data file is one section named "" at line 0; a .table file has a .cfg's sections and a .data file's values. The caller frees. */
int  meta_cfg_read(struct meta_cfg **, const char *path, struct meta_error *);
int  meta_data_file_read(struct meta_cfg **, const char *path, struct meta_error *);
int  meta_table_file_read(struct meta_cfg **, const char *path, struct meta_error *);
void meta_cfg_free(struct meta_cfg *);

#endif
