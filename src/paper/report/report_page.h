/* A folder of `meta table` as one page of HTML that needs no other file: it has no scripts, fonts
   or links to elsewhere. */
#ifndef META_REPORT_PAGE_H
#define META_REPORT_PAGE_H

#include <stdio.h>
#include "base/error.h"
#include "report_data.h"

/* Writes the whole page. Fails when gnuplot or the plugin meta_loss, which the figures need, is
   missing. */
int meta_report_page(FILE *, const struct meta_report *, struct meta_error *);

#endif
