/* Cells of a Markdown table. */
#ifndef META_MARKDOWN_TEXT_H
#define META_MARKDOWN_TEXT_H

#include <stdio.h>

/* Text, in which what Markdown would read as its own is escaped. */
void meta_markdown_text(FILE *, const char *text);
/* "(beside NAME) "; nothing without a name. */
void meta_markdown_beside(FILE *, const char *name);
/* "| mean (low to high), word " in percentage points with their signs. */
void meta_markdown_signed(FILE *, double mean, double low, double high, const char *word);

#endif
