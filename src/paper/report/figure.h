/* A line chart for a page of HTML. gnuplot draws it; its SVG becomes a part of the page, and its
   legend is HTML, so that no label reaches gnuplot. */
#ifndef META_FIGURE_H
#define META_FIGURE_H

#include <stdio.h>
#include "base/error.h"

struct meta_line {
    const char *label;   /* any text */
    int count;           /* 0: the line is left out */
    int band;            /* whether the points have low and high */
    double (*points)[4]; /* (count) x, y, low, high; NaN breaks the line */
};

struct meta_figure {
    const char *title; /* any text */
    const char *x, *y; /* names of the axes: texts of this program, without quotes */
    double x_low, x_high, y_low, y_high; /* ends of the axes; NaN leaves an end to the data */
    int diagonal;                        /* whether to draw chance: a dashed line between corners */
    int count;
    const struct meta_line *lines; /* (count) */
};

/* The figures of a page. */
struct meta_figures {
    FILE *page;
    int failed;            /* gnuplot could not draw one: no other is tried */
    struct meta_error why; /* the reason */
};

/* Writes <figure>...</figure>, several where there are more lines than can be told apart; in the
   place of the first that can't be drawn, a paragraph that says why; and nothing for those after
   it. */
void meta_figure_draw(struct meta_figures *, const struct meta_figure *);

#endif
