/* A folder of `meta table` as one page of HTML that needs no other file: it has no scripts, fonts
   or links to elsewhere. */
#ifndef META_REPORT_PAGE_H
#define META_REPORT_PAGE_H

#include <stdio.h>
#include "base/error.h"
#include "report_data.h"

/* Writes the whole page. Where gnuplot can't draw its curves they are missing, and *lacks says
   why; else its text is empty. Fails when there is no memory, or no plugin meta_loss, whose loss a
   figure shows. */
int meta_report_page(FILE *, const struct meta_report *, struct meta_error *lacks,
                     struct meta_error *);

#endif
