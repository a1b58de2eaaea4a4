/* Darknet's .cfg and .data files, and .table files, as sections of key = value with line numbers.
   CRLF, comments (# or ;, on a line of their own or after a value) and blank lines are read; any
   other line is an error with its number. Blanks inside a line of a .cfg are dropped, as in
   Darknet. In .data and .table files values may be paths: blanks inside a value belong to it, and a
   # or ; begins a comment only after a blank. */
#ifndef META_CFG_H
#define META_CFG_H

#include "base/error.h"

struct meta_pair {
    char *key, *value;
    int line;
};
struct meta_section {
    char *name; /* without brackets */
    int line;
    int count;
    struct meta_pair *pairs;
};
struct meta_cfg {
    char *path;
    int count;
    struct meta_section *sections;
};

/* A .data file becomes one section named "" at line 0; a .table file has sections as a .cfg and
   values as a .data file. The caller frees. */
int meta_cfg_read(struct meta_cfg **, const char *path, struct meta_error *);
int meta_data_file_read(struct meta_cfg **, const char *path, struct meta_error *);
int meta_table_file_read(struct meta_cfg **, const char *path, struct meta_error *);
void meta_cfg_free(struct meta_cfg *);

/* Puts where it is before a message about a section: the line and the section, as in "x.cfg:12:
   [maxpool]: ...", or where the message begins with one of its options, that option's line, as in
   "x.cfg:14: [maxpool] padding=2: must be...". Returns -1. */
int meta_section_blame(const struct meta_section *, const char *path, struct meta_error *);

#endif
