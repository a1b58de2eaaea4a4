/* Other programs, and this one once more, as processes that are waited for. */
#ifndef META_PROCESS_H
#define META_PROCESS_H

#include <sys/types.h>

/* Starts argv[0], looked for in PATH when it has no slash, with these three files (-1: nowhere). It is in a process group of its own: a
   Ctrl-C at the terminal is for us. Its signals are as usual, and it gets a SIGTERM should this process end before it.
   Returns 0 or an errno; what starts and can't be run ends with status 127. The caller waits for *pid. */
int meta_process_start(pid_t *pid, char *const argv[], int input, int output, int errors);

#endif
