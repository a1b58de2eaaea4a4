/* How `meta evaluate` tells its figures: as text, as JSON, and a line of CSV an image. */
#ifndef META_EVALUATE_PRINT_H
#define META_EVALUATE_PRINT_H

#include "assessment/assessment_report.h"

void meta_evaluate_print(const struct meta_assessment_report *);
/* Write a file, whole or not at all. */
int meta_evaluate_json(const char *path, const struct meta_assessment_report *,
                       struct meta_error *);
int meta_evaluate_csv(const char *path, const struct meta_assessment_report *, struct meta_error *);

/* Whether a file begins as one of these. */
int meta_evaluate_json_is(const char *path);
int meta_evaluate_csv_is(const char *path);

#endif
