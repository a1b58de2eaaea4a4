/* Text, rows and intervals as HTML. */
#ifndef META_HTML_H
#define META_HTML_H

#include <stdio.h>

/* Writes text so that it can stand between tags or in an attribute in double quotes: & < > " '
   become entities, and control characters become spaces. */
void meta_html_text(FILE *, const char *text);
/* Begins a row of a table with its name; ends a table that stands in a <div>. */
void meta_html_row(FILE *, const char *label);
void meta_html_close_table(FILE *);
/* Writes an interval of shares in percent. */
void meta_html_interval(FILE *, double low, double high);

#endif
