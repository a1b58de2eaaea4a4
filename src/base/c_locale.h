/* The C locale for one thread. Numbers in our files have a decimal point, but a program that uses
   the library, or that reads a .cfg with the host preloaded, may have called setlocale for a
   language that writes a comma. */
#ifndef META_C_LOCALE_H
#define META_C_LOCALE_H

#include <locale.h>

/* Gives this thread the C locale and returns the locale that it had, which meta_c_locale_end gives
   back. The locale stays as it is when there is no memory. */
locale_t meta_c_locale_begin(void);
void meta_c_locale_end(locale_t before);

#endif
