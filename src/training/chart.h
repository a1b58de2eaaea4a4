/* chart_NAME.png: the curves of a training, drawn by gnuplot in a process of its own. Training
   never waits for it. */
#ifndef META_CHART_H
#define META_CHART_H

#include <sys/types.h>
#include "train_log.h"

struct meta_chart {
    char *path, *temporary; /* the picture, and what gnuplot writes until it is whole */
    char *title;
    pid_t child;  /* the gnuplot that is drawing, or 0 */
    double drawn; /* when the last drawing began, seconds of the monotonic clock */
    enum meta_training_kind kind;
    int off; /* it can't be drawn, which the caller knows */
};

int meta_chart_open(struct meta_chart *, enum meta_training_kind, const char *path,
                    const char *title, struct meta_error *);
/* Starts a drawing of the rows, unless one began less than half a minute ago or is still going on;
   puts one that is done in its place. Returns -1 with the message at the first failure (no gnuplot,
   no room), and from then on does nothing and returns 0. */
int meta_chart_update(struct meta_chart *, const struct meta_row *, int count, struct meta_error *);
/* Makes a last drawing, for which it waits a few seconds at most, and frees. */
int meta_chart_close(struct meta_chart *, const struct meta_row *, int count, struct meta_error *);

#endif
