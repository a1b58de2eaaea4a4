/* Tables of a report as Markdown beside that of the figures. */
#ifndef META_MARKDOWN_PARTS_H
#define META_MARKDOWN_PARTS_H

#include <stdio.h>

#include "report_data.h"

/* AUC by pair of classes: a row a cell, a column a pair. Nothing for a table without results.
   (markdown_pairs.c) */
void meta_markdown_pairs(FILE *, const struct meta_report_table *);
/* Paired differences of rows with several seeds: a row a method, a column a seed. Nothing for a
   table without such rows. (markdown_seeds.c) */
void meta_markdown_seeds(FILE *, const struct meta_report_table *);

#endif
