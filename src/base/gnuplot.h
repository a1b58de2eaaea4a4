/* gnuplot as a process, with a script that lies in no folder. */
#ifndef META_GNUPLOT_H
#define META_GNUPLOT_H

#include <stdio.h>
#include <sys/types.h>
#include "error.h"

/* Starts gnuplot on the script that write(file, context) writes, with its output to `out`, without
   the user's start-up files, and with an environment of our own: of the user's variables it gets
   those alone by which programs, their libraries and their fonts are found. The script must set
   its terminal, name no file and quote every text that comes from outside: gnuplot runs "<command"
   or "|command" where a file's name is expected. The caller waits for *child, by meta_gnuplot_wait.
   The message says that gnuplot is not installed, or why it can't be started. */
int meta_gnuplot_start(pid_t *child, void (*write)(FILE *, const void *), const void *context,
                       int out, struct meta_error *);
/* How the drawing stands, after a wait of so many seconds at most: 1: it is done; 0: gnuplot is
   still drawing; -1: it failed, which the message says. *child is 0 when it has ended. */
int meta_gnuplot_wait(pid_t *child, double seconds, struct meta_error *);
/* Ends a drawing that goes on; *child becomes 0. */
void meta_gnuplot_end(pid_t *child);

#endif
