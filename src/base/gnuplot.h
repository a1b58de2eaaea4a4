/* gnuplot as a process, with a script that lies in no folder. */
#ifndef META_GNUPLOT_H
#define META_GNUPLOT_H

#include <stdio.h>
#include <sys/types.h>

/* Starts gnuplot on the script that write(file, context) writes, with its output to `out` and
   without the user's start-up files. The script must name no file and quote every text that comes
   from outside: gnuplot runs "<command" or "|command" where a file's name is expected. Returns 0,
   and the caller waits for *child; or an errno, ENOENT where gnuplot is not installed. */
int meta_gnuplot_start(pid_t *child, void (*write)(FILE *, const void *), const void *context,
                       int out);

#endif
