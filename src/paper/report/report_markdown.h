/* The numbers of a folder of `meta table` as tables in Markdown. */
#ifndef META_REPORT_MARKDOWN_H
#define META_REPORT_MARKDOWN_H

#include <stdio.h>
#include "base/error.h"
#include "report_data.h"

/* Writes every table of the folder: a row a cell, then a row a family where there are families. */
int meta_report_markdown(FILE *, const struct meta_report *, struct meta_error *);

#endif
