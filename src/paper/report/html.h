/* Text as HTML. */
#ifndef META_HTML_H
#define META_HTML_H

#include <stdio.h>

/* Writes text so that it can stand between tags or in an attribute in double quotes: & < > " '
   become entities, and control characters become spaces. */
void meta_html_text(FILE *, const char *text);

#endif
