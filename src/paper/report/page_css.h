/* The style sheet of the page. */
#ifndef META_PAGE_CSS_H
#define META_PAGE_CSS_H

/* The text of page.css, byte for byte; the Makefile turns that file into the C file that defines
   this. */
extern const char meta_page_css[];

#endif
