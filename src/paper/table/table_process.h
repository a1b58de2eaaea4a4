/* The processes that make what a table lacks: `darknet meta train`, `pretrain` and `test`. */
#ifndef META_TABLE_PROCESS_H
#define META_TABLE_PROCESS_H

#include "table_model.h"
#include "table_warnings.h"

struct meta_table_runner {
    const char *program;  /* path of this program */
    char threads[16];     /* worker threads of a process */
    const char *launcher; /* words that stand before the program, "mpirun -n 4"; NULL: none */
    double tick;          /* seconds between calls of `watch` */
    int stop;             /* the signal that asked for an end; 0: none has */
    void (*watch)(void *context);                  /* called while a process runs; may be NULL */
    void (*warn)(void *context, const char *line); /* may be NULL */
    void *context;
    struct meta_table_warnings warnings; /* that `warn` was called for; the caller clears them */
};

/* Blocks the signals that ask for an end, but for those that are ignored (nohup). From then on
   meta_table_train and meta_table_test alone take them: they hand the signal to the process that
   runs, which saves and ends, and keep it in runner->stop. */
void meta_table_signals(void);

/* Trains to the end, from where the training is or from the end of its beginning. -1 with the
   message, also when a signal asked for an end. */
int meta_table_train(struct meta_table_runner *, const struct meta_table *,
                     const struct meta_recipe *, struct meta_error *);
/* Tests; the result is then in the cell's file. Errors as above. */
int meta_table_test(struct meta_table_runner *, const struct meta_table *, const struct meta_cell *,
                    struct meta_error *);

#endif
