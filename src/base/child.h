/* A copy of this process that works when it is asked to: with memory of its own to be measured by, and with its own processor state. */
#ifndef META_CHILD_H
#define META_CHILD_H

#include "error.h"

#define META_CHILD_NUMBERS 12

struct meta_child;

/* Forks: to be called while this process has no other threads. Whenever the child is asked it calls serve(context, numbers, error),
   which fills the answer; the first time it may set itself up. Its standard output and error go nowhere. The caller frees, which ends
   the child; so does the end of this process. */
int  meta_child_start(struct meta_child **, int (*serve)(void *context, double *numbers, struct meta_error *), void *context,
                      struct meta_error *);
/* Blocks for the answer, (META_CHILD_NUMBERS). A failure carries the child's message, or says how it ended, naming `what`. */
int  meta_child_ask(struct meta_child *, const char *what, double *numbers, struct meta_error *);
void meta_child_free(struct meta_child *);

#endif
