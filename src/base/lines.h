/* Text files, whole and line by line. */
#ifndef META_LINES_H
#define META_LINES_H

#include "error.h"

/* Reads a whole text file; one with a zero byte is refused by the line that has it. *start is where
   its text begins, behind the byte order mark that some Windows editors write. The caller frees
   *bytes. */
int meta_lines_text(const char *path, char **bytes, char **start, struct meta_error *);

/* The lines of a text file that are not blank, without their ends (LF or CRLF), in order. */
struct meta_lines {
    char *text; /* the file's bytes; `line` points into them */
    int count;
    char **line; /* (count) */
    int *number; /* (count) line numbers in the file, from 1 */
};
/* The caller frees. */
int meta_lines_read(struct meta_lines *, const char *path, struct meta_error *);
void meta_lines_free(struct meta_lines *);

#endif
