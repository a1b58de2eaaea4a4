/* What the commands that take long print as they go. */
#ifndef META_CONSOLE_H
#define META_CONSOLE_H

#include "training/train_log.h"

/* "100: 0.412 meta-loss, 0.512 query loss, 78.3% accuracy, 0.001000 rate, 0.81 seconds, 40 min left" on standard output; of images,
   one "loss" */
void meta_print_row(enum meta_run_kind, const struct meta_row *, double remaining);
/* The state of a run, under its lines. */
struct meta_status {
    uint64_t done, total;
    double query_loss, meta_loss, accuracy;    /* means over the last iterations */
    double rate, remaining;                    /* of the last iteration; seconds */
    double auc, low, high;                     /* the last valid AUC and its interval; NaN: none yet */
};
/* "[===>    ]  420/3000 14%  14 min left  loss 0.509  AUC 0.723 (0.701 to 0.745)  rate 0.001  meta-loss 0.412  73.3% right" in at most
   `width` characters: what does not fit is left out, the last first, and the bar has what room there is. Returns the length. */
int  meta_format_status(char *out, int size, int width, const struct meta_status *);
/* On the terminal's last line, over itself; nothing where standard output is no terminal. */
void meta_print_status(const struct meta_status *);
/* A bar of `done` of `total`, drawn over itself; where standard output is no terminal, a line every ten minutes. `done` begins at 1. */
void meta_print_bar(uint64_t done, uint64_t total);
void meta_clear_bar(void);                 /* of a terminal */

#endif
