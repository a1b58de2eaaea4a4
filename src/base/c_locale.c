/* Puts a thread into the C locale and back, so that numbers in files have a decimal point. */
#define _GNU_SOURCE
#include "c_locale.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t plain;

/* The locale is kept until the process ends. */
static void make(void) { plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

locale_t meta_c_locale_begin(void)
{
    pthread_once(&once, make);
    return uselocale(plain); /* (locale_t)0, where newlocale had no memory, only asks */
}

void meta_c_locale_end(locale_t before) { uselocale(before); }
