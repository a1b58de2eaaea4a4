/* A page of HTML by itself: head, style sheet and headline. */
#ifndef META_HTML_PAGE_H
#define META_HTML_PAGE_H

#include <stdio.h>

/* Writes all up to and with the headline, which is the title, any text. verb: whose page it is,
   "report". Light or dark as the reader's system is. */
void meta_html_page_begin(FILE *, const char *verb, const char *title);
void meta_html_page_end(FILE *);
/* Whether a file begins as such a page of the verb; with NULL, as those of `meta report` did that
   say no verb. */
int meta_html_page_is(const char *path, const char *verb);

#endif
