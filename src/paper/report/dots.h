/* A dot plot for a page of HTML: a table whose lines have a figure each, as a dot with its
   intervals on an axis that all lines share, and as numbers beside it. The drawings are SVG without
   scripts, whose positions are percentages: they are as wide as the page lets them be, and their
   marks and lines keep their sizes. */
#ifndef META_DOTS_H
#define META_DOTS_H

#include <stdio.h>

/* One line. Numbers are in percent or percentage points, NaN for none. */
struct meta_dot {
    const char *label; /* lines in a row with the same pointer stand under it once */
    int shots;
    int column;                   /* the place of shots among the columns: picks mark and colour */
    double mean, low, high;       /* the dot and its interval */
    double other_low, other_high; /* the interval of other groups */
    double paper;                 /* a paper's figure */
    int trainings, done;          /* of a row of several trainings: how many, and with a figure */
    const double *each;           /* (done) the figures of those */
    const char *word;             /* behind the numbers; "" for none */
    const char *beside; /* what a difference is to, behind the word; NULL or "": `axis` says it */
    char missing[100];  /* why there is no mean */
};

struct meta_dots {
    const char *title;          /* any text, as are the following four */
    const char *axis;           /* what the axis shows */
    const char *interval;       /* what the dots' intervals are of */
    const char *paper, *groups; /* whose figures `paper` has; what other groups are */
    int is_difference;          /* numbers have signs, and 0 is marked in place of chance, 50 */
    int columns;
    const int *shots; /* (columns) the numbers of shots, for the legend */
    int count;
    const struct meta_dot *lines; /* (count) */
};

/* Writes the marks that all dot plots of a page refer to. Stands once, before the first of them. */
void meta_dots_marks(FILE *page);
/* Writes <figure class="dots">...</figure>; nothing without lines. */
void meta_dots_write(FILE *page, const struct meta_dots *);

#endif
