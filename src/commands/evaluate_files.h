/* The files that `meta evaluate` writes. */
#ifndef META_EVALUATE_FILES_H
#define META_EVALUATE_FILES_H

#include "assessment/assessment_report.h"

/* As the command line names them; NULL: none of that kind is asked for. */
struct meta_evaluate_files {
    const char *csv, *json, *html;
};

/* Fails where a file can't be written, or is one of those that are read (count; NULL: none). */
int meta_evaluate_files_apart(const struct meta_evaluate_files *, const char *const read[],
                              int count, struct meta_error *);
/* Fails where a file is there and is not of meta evaluate, or is named twice. */
int meta_evaluate_files_check(const struct meta_evaluate_files *, struct meta_error *);
/* Writes each whole or not at all. A page without curves is said on standard error. */
int meta_evaluate_files_write(const struct meta_evaluate_files *,
                              const struct meta_assessment_report *, struct meta_error *);

#endif
