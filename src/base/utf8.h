/* Text of any bytes, such as a path, as UTF-8. */
#ifndef META_UTF8_H
#define META_UTF8_H

/* Copies `text` with each byte that is no part of UTF-8 as the character U+EF00 + byte, one of the
   private U+EF80 to U+EFFF. These characters themselves are escaped byte by byte, so that no two
   texts become one. The caller frees; NULL when there is no memory. */
char *meta_utf8_escape(const char *text);
/* Turns such characters back into bytes, in place. */
void meta_utf8_restore(char *text);

#endif
