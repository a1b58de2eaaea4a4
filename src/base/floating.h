/* The floating-point mode that the program computes in. */
#ifndef META_FLOATING_H
#define META_FLOATING_H

/* Makes this thread, and the threads it starts from then on, take denormal numbers for zero and
   round denormal results to zero (SSE's DAZ and FTZ). */
void meta_floating_flush(void);

#endif
