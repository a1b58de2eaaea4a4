/* What the commands that take long print as they go. */
#ifndef META_CONSOLE_H
#define META_CONSOLE_H

#include "train_log.h"

/* "100: 0.412 meta-loss, 0.512 query loss, 78.3% accuracy, 0.001000 rate, 0.81 seconds, 40 min left" on standard output; of images,
   one "loss" */
void meta_print_row(enum meta_run_kind, const struct meta_row *, double remaining);
/* A bar of `done` of `total`, drawn over itself; both do nothing unless standard output is a terminal. */
void meta_print_bar(uint64_t done, uint64_t total);
void meta_clear_bar(void);
/* "55 s", "40 min", "2.3 h" */
void meta_format_time(char *out, int size, double seconds);

#endif
