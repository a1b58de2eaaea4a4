/* A forked copy of this process that works when it is asked to. Its memory and its processor state
   are its own, so that a measurement of either is not disturbed by what the parent does. */
#ifndef META_CHILD_H
#define META_CHILD_H

#include "error.h"

#define META_CHILD_NUMBERS 20

struct meta_child;

/* Forks; call it while this process has no other threads. At each question the child calls
   serve(context, numbers, error), which fills numbers (META_CHILD_NUMBERS) or the error; the first
   call may set the child up. The child's standard output and error go to /dev/null. The child ends
   when the caller frees it or this process ends. */
int meta_child_start(struct meta_child **,
                     int (*serve)(void *context, double *numbers, struct meta_error *),
                     void *context, struct meta_error *);
/* Asks, and blocks for the answer: numbers (META_CHILD_NUMBERS). The error is the child's message,
   or how the child ended, after "WHAT: ". */
int meta_child_ask(struct meta_child *, const char *what, double *numbers, struct meta_error *);
void meta_child_free(struct meta_child *);

#endif
