/* Other programs, or this one again, as processes that the caller waits for. */
#ifndef META_PROCESS_H
#define META_PROCESS_H

#include <sys/types.h>

/* Starts argv[0], which is looked for in PATH when it has no slash, with the three files as its
   standard input, output and errors (-1: /dev/null). The process has a process group of its own, so
   that a Ctrl-C at the terminal reaches only us, default signal handlers, and a SIGTERM when this
   process ends before it. environment: its variables, "NAME=value" up to a NULL; NULL: ours.
   Returns 0 or an errno. The caller waits for *pid. */
int meta_process_start(pid_t *pid, char *const argv[], char *const environment[],
                       const int files[3]);

#endif
