/* Running what a table lacks: one process at a time, each `darknet meta train`, `pretrain` or `test`. */
#ifndef META_TABLE_RUN_H
#define META_TABLE_RUN_H

#include "table.h"

struct meta_table_run {
    const char *program;                   /* this one */
    char threads[16];
    double tick;                           /* seconds between calls of `watch` */
    int stop;                              /* the signal that asked for an end, or 0 */
    void (*watch)(void *context);          /* while a process runs */
    void *context;
};

/* Blocks the signals that ask for an end, but for those that were ignored when we were started (nohup): from here on they are taken by
   the two below alone, handed to the process that runs, which ends in its own good way, and kept in run->stop. */
void meta_table_signals(void);

/* Trains from where it is, or where its beginning ended, to its end. 0; -1 with the message, also when it was stopped. */
int meta_table_train(struct meta_table_run *, const struct meta_table *, const struct meta_recipe *, struct meta_error *);
/* Tests; the result is then in the cell's file. As above. */
int meta_table_test(struct meta_table_run *, const struct meta_table *, const struct meta_cell *, struct meta_error *);

#endif
