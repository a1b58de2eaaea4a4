/* CSV as spreadsheets export it (RFC 4180): fields that may be quoted, between commas, semicolons
   or tabs. */
#ifndef META_CSV_H
#define META_CSV_H

#include <stdio.h>

#include "error.h"

/* Writes a field, in quotes where it needs them whatever the separator is. */
void meta_csv_write_field(FILE *, const char *text);

/* A text in which records are read one after the other, and changed by that: fields end in 0. */
struct meta_csv {
    const char *path; /* for messages */
    char *at;         /* the rest of the text */
    int line;         /* of `at`, from 1 */
    char separator;
};
/* Starts with the text at `start`, which the caller keeps. The separator is what stands behind the
   first field where that is the word `header`, in any case, or what a first line "sep=;" says; else
   it is a comma, and where the first line has none a semicolon, and where it has none of both a
   tab. */
struct meta_csv meta_csv_start(const char *path, char *start, const char *header);
/* Reads the next record that has a field that is not empty: *count is the number of its fields, of
   which the first `most` are in field, without the blanks around them and without quotes; *line is
   the line that it begins on. *count is 0 at the end of the text. Fails where a quotation mark is
   never closed or has text behind it. */
int meta_csv_next(struct meta_csv *, char **field, int most, int *count, int *line,
                  struct meta_error *);

#endif
