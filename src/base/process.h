/* Other programs, or this one again, as processes that the caller waits for. */
#ifndef META_PROCESS_H
#define META_PROCESS_H

#include <sys/types.h>

/* Starts argv[0], which is looked for in PATH when it has no slash, with the three files as its
   standard streams (-1: /dev/null). The process has a process group of its own, so that a Ctrl-C at
   the terminal reaches only us, default signal handlers, and a SIGTERM when this process ends
   before it. Returns 0 or an errno. The caller waits for *pid. */
int meta_process_start(pid_t *pid, char *const argv[], int input, int output, int errors);

#endif
