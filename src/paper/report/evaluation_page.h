/* The page of `meta evaluate`: how good a classifier is on labelled images. */
#ifndef META_EVALUATION_PAGE_H
#define META_EVALUATION_PAGE_H

#include <stdio.h>
#include "assessment/assessment_report.h"

/* Writes the page. *lacks: what kept its figures from being drawn, an empty text where nothing did.
 */
int meta_evaluation_page(FILE *, const struct meta_assessment_report *, struct meta_error *lacks,
                         struct meta_error *error);
/* Whether a file begins as such a page. */
int meta_evaluation_page_is(const char *path);

#endif
