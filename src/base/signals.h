/* The signals that ask a program to end, heard by a thread of their own: whatever the others are
   doing, or waiting for, what must be done before the end is done at once. */
#ifndef META_SIGNALS_H
#define META_SIGNALS_H

#include "error.h"

struct meta_signals;

/* From now on the first SIGINT, SIGTERM or SIGHUP, other than those that are ignored (nohup), calls
   asked(context, number) in that thread; a second one has its usual effect and ends the program at
   once. The other threads of the program must have these signals blocked, as ours have; those of
   the caller are blocked until the end. */
int meta_signals_start(struct meta_signals **, void (*asked)(void *context, int number),
                       void *context, struct meta_error *);
/* Waits for `asked` to return, where it was called, and gives the signals their usual effect
   again. */
void meta_signals_end(struct meta_signals *);

#endif
