/* Times as people say them. */
#ifndef META_DURATION_H
#define META_DURATION_H

/* Writes "9.3 s", "55 s", "40 min" or "2.3 h" into out (size bytes). */
void meta_format_time(char *out, int size, double seconds);

#endif
