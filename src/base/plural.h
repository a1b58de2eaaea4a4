/* English endings of counted things. */
#ifndef META_PLURAL_H
#define META_PLURAL_H

/* printf("%d image%s", n, meta_plural(n)) */
static inline const char *meta_plural(long n) { return n == 1 ? "" : "s"; }
/* printf("%d class%s", n, meta_plural_es(n)) */
static inline const char *meta_plural_es(long n) { return n == 1 ? "" : "es"; }

#endif
