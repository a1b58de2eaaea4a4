/* The record of a training run: NAME.csv, one line an iteration. There are two kinds of run, each with its own columns. */
#ifndef META_TRAIN_LOG_H
#define META_TRAIN_LOG_H

#include <stdint.h>
#include "base/error.h"

enum meta_run_kind { META_RUN_TASKS, META_RUN_IMAGES };     /* meta-training; supervised training */

struct meta_row {
    uint64_t iteration;                    /* from 1 */
    double meta_loss, query_loss;          /* means over the iteration's tasks; of images: query_loss, of the mini-batch */
    double accuracy;                       /* 0..1, of the query images after adaptation; of the mini-batch */
    double rate;                           /* of [net]'s policy */
    double seconds, waited;                /* of the iteration; of those, waiting for images */
    double auc, low, high;                 /* of the valid list, with its 95% interval; of images: the accuracy; NaN where it was not taken */
    double valid_loss;                     /* of images, NaN likewise */
};

struct meta_log {
    enum meta_run_kind kind;
    char *path;
    int fd, count, room, written;          /* rows in memory, room for them, rows in the file */
    int broken;                            /* the last write failed: said once */
    struct meta_row *rows;
};

/* Opens the CSV, which it makes where there is none, and locks it against a second run of the same name; changes nothing in it. */
int  meta_log_open(struct meta_log *, enum meta_run_kind, const char *path, struct meta_error *);
/* Refuses a file that no training has written: before its content is dropped. *rows: of its rows there are some. */
int  meta_log_own(const struct meta_log *, int *rows, struct meta_error *);
/* From here on it has the rows up to `iteration` of origin, and no others, such as a line cut short: `path` itself to go on, another run's
   CSV, which need not be there, or NULL: no rows. A line before them that is no row is an error. Room for `room` more rows: adding
   allocates nothing. */
int  meta_log_begin(struct meta_log *, const char *origin, uint64_t iteration, int room, struct meta_error *);
/* Appends. The first of several write errors in a row returns -1 with the message, the others 0: the rows are kept in memory and
   written with a later one, when that can be. */
int  meta_log_add(struct meta_log *, const struct meta_row *, struct meta_error *);
void meta_log_sync(struct meta_log *);     /* to the disk, before a checkpoint that stands on it */
void meta_log_close(struct meta_log *);

/* The rows of such a file of either kind, which may be being written to; the caller frees *rows. */
int  meta_log_read(struct meta_row **rows, int *count, const char *path, struct meta_error *);

#endif
