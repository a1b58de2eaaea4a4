/* A line chart for a page: drawn by gnuplot, its SVG in the page itself, its legend as HTML so that labels need be told to nobody else. */
#ifndef META_FIGURE_H
#define META_FIGURE_H

#include <stdio.h>
#include "base/error.h"

/* points: rows of x, y, and, with a band, its low and high; one that is not finite breaks the line. */
struct meta_line { const char *label; int count, band; double (*points)[4]; };

struct meta_figure {
    const char *title;             /* for people; any text */
    const char *x, *y;             /* axes: ours, without quotes */
    double x_low, x_high, y_low, y_high;   /* y: NaN leaves that end to the data */
    int diagonal;                  /* a dashed line from corner to corner: chance */
    int count;
    const struct meta_line *lines;
};

/* Writes <figure>...</figure>. Fails when gnuplot is not there. */
int meta_figure_draw(FILE *page, const struct meta_figure *, struct meta_error *);

#endif
