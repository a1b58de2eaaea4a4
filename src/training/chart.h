/* chart_NAME.png: a training run's curves, drawn by gnuplot in a process of its own. Training never waits for it. */
#ifndef META_CHART_H
#define META_CHART_H

#include <sys/types.h>
#include "train_log.h"

struct meta_chart {
    char *path, *temporary;        /* the picture; what gnuplot writes, renamed when it is whole */
    char *title;
    pid_t child;                   /* drawing now, or 0 */
    double drawn;                  /* when the last drawing began, seconds of the monotonic clock */
    enum meta_run_kind kind;
    int off;                       /* it can't be drawn: said once */
};

int  meta_chart_open(struct meta_chart *, enum meta_run_kind, const char *path, const char *title, struct meta_error *);
/* Starts a drawing of the rows, unless one began less than half a minute ago or is still going on; takes in one that is done.
   -1 with the message at the first failure (no gnuplot, no room): from then on it does nothing and returns 0. */
int  meta_chart_update(struct meta_chart *, const struct meta_row *, int count, struct meta_error *);
/* A last drawing, waited for a few seconds at most; frees. */
int  meta_chart_close(struct meta_chart *, const struct meta_row *, int count, struct meta_error *);

#endif
