/* The log of a training: NAME.csv, one line for each iteration, and where it is asked for the same
   as lines of JSON, NAME.jsonl. There are two kinds of training, each with its own columns. */
#ifndef META_TRAIN_LOG_H
#define META_TRAIN_LOG_H

#include <stdint.h>
#include "base/error.h"

/* Meta-training, and supervised training. */
enum meta_training_kind { META_TRAINING_TASKS, META_TRAINING_IMAGES };

struct meta_row {
    uint64_t iteration;           /* from 1 */
    double meta_loss, query_loss; /* means over the tasks of the iteration; with images
                                     query_loss alone, of the mini-batch */
    double accuracy;              /* 0..1, of the query images after adaptation; with
                                     images, of the mini-batch */
    double rate;                  /* learning rate by the policy of [net] */
    double seconds, waited;       /* of the iteration; part of it, waiting for images */
    double auc, low, high;        /* of the valid list, with its 95% interval; with images
                                     the accuracy; NaN where it was not taken */
    double valid_loss;            /* with images; NaN where it was not taken */
};

struct meta_log {
    enum meta_training_kind kind;
    int json; /* lines of JSON, and no header */
    char *path;
    int fd, count, room, written; /* rows in memory, room for them, rows in the file */
    long long last, keep; /* where the file's last row begins; bytes of the file that stay */
    long long size;       /* bytes of the file, as it was written */
    int broken;           /* the last write failed, which the caller knows */
    struct meta_row *rows;
};

/* Names the CSV, and looks at nothing yet. No other process may write it, by the training's lock.
 */
int meta_log_open(struct meta_log *, enum meta_training_kind, const char *path,
                  struct meta_error *);
/* Fails when there is a file that no training has written: to be asked before its content is
   dropped. */
int meta_log_own(const struct meta_log *, struct meta_error *);
/* Reads the rows of `origin` up to `iteration` that the log is to hold, and changes nothing yet.
   origin is the path of the log itself, to go on; or the CSV of another training, which need not be
   there; or NULL: no rows. A line before that iteration which is no row is an error. Makes room for
   `room` more rows: adding allocates nothing. */
int meta_log_prepare(struct meta_log *, const char *origin, uint64_t iteration, int room,
                     struct meta_error *);
/* Names a log of JSON lines for the rows of `csv`, which has been prepared, and as many to come.
   Lines of the file that say these rows stay, all else in it is replaced. */
int meta_log_follow(struct meta_log *, const struct meta_log *csv, const char *path,
                    struct meta_error *);
/* Fails when there is a file that does not begin as such lines do. */
int meta_log_own_lines(const char *path, struct meta_error *);
/* Opens the log, which it makes where there is none, and makes it hold those rows and nothing else,
   such as a line cut short. */
int meta_log_begin(struct meta_log *, struct meta_error *);
/* Appends a row. The first of several write errors in a row returns -1 with the message, the others
   0: the rows are kept in memory and written with a later one, when that is possible. A log that
   another program has cut, moved away or removed is written anew, which the message says too. */
int meta_log_add(struct meta_log *, const struct meta_row *, struct meta_error *);
/* Puts the row in the place of the last one, of the same iteration, which lacks what was found out
   since. What can't be written now is kept for a later row. */
void meta_log_amend(struct meta_log *, const struct meta_row *);
/* Puts the log on the disk, whole, before a checkpoint that relies on it, with what could not be
   written before. */
void meta_log_sync(struct meta_log *);
void meta_log_close(struct meta_log *);

/* Reads the rows of a log of either kind, which a training may be writing to. The caller frees the
   rows. */
int meta_log_read(struct meta_row **rows, int *count, const char *path, struct meta_error *);

#endif
