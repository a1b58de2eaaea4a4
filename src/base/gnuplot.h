/* gnuplot in a process of its own, with a script that no file holds. */
#ifndef META_GNUPLOT_H
#define META_GNUPLOT_H

#include <stdio.h>
#include <sys/types.h>

/* Starts it with what `write` writes as its input, `out` as its output, and none of the user's start-up files. The script must name no file
   and quote every text that isn't ours: gnuplot would run "<command" or "|command" given as a name. Returns 0 with *child to be waited for,
   or errno's number: ENOENT when it is not installed. */
int meta_gnuplot_start(pid_t *child, void (*write)(FILE *, const void *), const void *context, int out);

#endif
