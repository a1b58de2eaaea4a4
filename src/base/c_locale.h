/* Numbers in files have a point, whatever the process's language writes: a program that uses the library, or reads a .cfg with the host
   preloaded, may have set another (setlocale). */
#ifndef META_C_LOCALE_H
#define META_C_LOCALE_H

#include <locale.h>

/* Of this thread from now on; returns what it had, for meta_c_locale_end. Without memory for it the locale stays as it is. */
locale_t meta_c_locale_begin(void);
void     meta_c_locale_end(locale_t);

#endif
