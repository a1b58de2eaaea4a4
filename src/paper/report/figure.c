/* Has gnuplot draw a line chart, and writes its SVG and a legend into a page of HTML. */
#define _GNU_SOURCE
#include "figure.h"
#include "base/gnuplot.h"
#include "html.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH 520
#define HEIGHT 380
#define PATIENCE 15. /* seconds that a drawing may take */

/* Each has a contrast of at least 3 to 1 with the page in both its themes, white and near black. */
static const char *const colours[] = { "#2f7fc1", "#d1602a", "#2b9a5b", "#b8479b", "#8663cf",
                                       "#a97b00", "#1598a0", "#d34a55", "#7b8087", "#5f9420" };
enum { COLOURS = sizeof colours / sizeof *colours };
/* Of the lines that have a colour the first is solid, and each other has dashes of its own: lengths
   of strokes and gaps. */
static const char *const dashes[] = { NULL, "6,4", "2,3", "9,4,2,4", "9,3,2,3,2,3" };
enum { MOST = COLOURS * sizeof dashes / sizeof *dashes }; /* lines that can be told apart */

/* Writes the line's points as the data block $lineN of the script; an empty line breaks a line. */
static void write_points(FILE *f, int index, const struct meta_line *line)
{
    fprintf(f, "$line%d << EOD\n", index);
    for (int i = 0; i < line->count; i++) {
        const double *p = line->points[i];
        double low = line->band ? p[2] : p[1], high = line->band ? p[3] : p[1];
        if (!isfinite(p[0]) || !isfinite(p[1]) || !isfinite(low) || !isfinite(high)) fputc('\n', f);
        else fprintf(f, "%.7g %.7g %.7g %.7g\n", p[0], p[1], low, high);
    }
    fputs("EOD\n", f);
}

static void write_range(FILE *f, const char *axis, double low, double high)
{
    char from[32] = "*", to[32] = "*";
    if (!isnan(low)) snprintf(from, sizeof from, "%g", low);
    if (!isnan(high)) snprintf(to, sizeof to, "%g", high);
    fprintf(f, "set %srange [%s:%s]\n", axis, from, to);
}

/* Titles and labels, which may come from files, are not in the script: gnuplot runs commands. */
static void write_script(FILE *f, const void *figure)
{
    const struct meta_figure *g = figure;
    fprintf(f, "set terminal svg size %d,%d font 'sans-serif,13' noenhanced\n", WIDTH, HEIGHT);
    fputs("set grid\nunset key\n", f);
    write_range(f, "x", g->x_low, g->x_high);
    write_range(f, "y", g->y_low, g->y_high);
    fprintf(f, "set xlabel '%s'\nset ylabel '%s'\n", g->x, g->y);
    for (int i = 0; i < g->count; i++) write_points(f, i, &g->lines[i]);
    fputs("plot ", f);
    for (int i = 0; i < g->count; i++)
        if (g->lines[i].band && g->lines[i].count)
            fprintf(f, "$line%d using 1:3:4 with filledcurves fs solid .18 noborder lc rgb '%s', ",
                    i, colours[i % COLOURS]);
    for (int i = 0; i < g->count; i++) {
        const char *dash = dashes[i / COLOURS];
        if (!g->lines[i].count) continue;
        fprintf(f, "$line%d using 1:2 with lines lw 2 ", i);
        if (dash) fprintf(f, "dt (%s) ", dash);
        else fputs("dt solid ", f);
        fprintf(f, "lc rgb '%s', ", colours[i % COLOURS]);
    }
    fputs(g->diagonal ? "x with lines dt 2 lc rgb 'gray'\n" : "NaN notitle\n", f);
}

/* Runs gnuplot on the figure's script. The caller frees *svg, the text that gnuplot writes. */
static int run_gnuplot(char **svg, const struct meta_figure *g, struct meta_error *error)
{
    int out = memfd_create("svg", MFD_CLOEXEC), state;
    struct stat info;
    pid_t child;
    *svg = NULL;
    if (out < 0) return meta_fail(error, "%s", strerror(errno));
    if (meta_gnuplot_start(&child, write_script, g, out, error)) goto fail;
    if (!(state = meta_gnuplot_wait(&child, PATIENCE, error))) {
        meta_gnuplot_end(&child);
        meta_fail(error, "gnuplot took longer than %g seconds", PATIENCE);
    }
    if (state <= 0) goto fail;
    if (fstat(out, &info) || !(*svg = calloc(1, info.st_size + 1))
        || pread(out, *svg, info.st_size, 0) != info.st_size) {
        meta_fail(error, "can't read what gnuplot drew: %s", strerror(errno));
        goto fail;
    }
    close(out);
    return 0;
fail:
    close(out);
    free(*svg);
    *svg = NULL;
    return -1;
}

/* The drawing in what gnuplot wrote, up to *end; NULL: there is none. */
static const char *find_drawing(const char *svg, const char **end)
{
    const char *at = strstr(svg, "<g id=\"gnuplot_canvas\"");
    *end = at ? strstr(at, "</svg>") : NULL;
    return *end ? at : NULL;
}

/* Writes the drawing, but not its ids and definitions, which would stand in a page of several
   figures more than once, nor its titles, which say gnuplot. */
static void write_svg(FILE *page, const char *at, const char *end, const struct meta_figure *g)
{
    static const struct {
        const char *from, *to;
    } left_out[] = { { "<defs>", "</defs>" }, { "<title>", "</title>" }, { " id=\"", "\"" } };
    fprintf(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    meta_html_text(page, g->title);
    fputs("\">", page);
    while (at < end) {
        const char *skip = NULL;
        for (int i = 0; i < 3 && !skip; i++) {
            size_t n = strlen(left_out[i].from);
            if (strncmp(at, left_out[i].from, n)) continue;
            skip = strstr(at + n, left_out[i].to);
            if (skip) skip += strlen(left_out[i].to);
        }
        if (skip) at = skip;
        else fputc(*at++, page);
    }
    fputs("</svg>\n", page);
}

static void write_key(FILE *page, const struct meta_figure *g)
{
    fputs("<ul class=\"key\">", page);
    for (int i = 0; i < g->count; i++) {
        if (!g->lines[i].count) continue;
        fprintf(page,
                "<li><svg class=\"sample stroke\" aria-hidden=\"true\"><line x1=\"0\" x2=\"100%%\" "
                "y1=\"50%%\" y2=\"50%%\" stroke=\"%s\"",
                colours[i % COLOURS]);
        if (dashes[i / COLOURS]) fprintf(page, " stroke-dasharray=\"%s\"", dashes[i / COLOURS]);
        fputs("/></svg>", page);
        meta_html_text(page, g->lines[i].label);
        fputs("</li>", page);
    }
    fputs("</ul>", page);
}

/* of: which one it is of several, behind its title. */
static void draw(struct meta_figures *figures, const struct meta_figure *g, const char *of)
{
    FILE *page = figures->page;
    const char *drawing, *end;
    char *svg = NULL;
    if (figures->failed) return;
    if (run_gnuplot(&svg, g, &figures->why)) goto fail;
    if (!(drawing = find_drawing(svg, &end))) {
        meta_fail(&figures->why, "gnuplot wrote no SVG");
        goto fail;
    }
    fputs("<figure><figcaption>", page);
    meta_html_text(page, g->title);
    fprintf(page, "%s</figcaption>\n", of);
    write_svg(page, drawing, end, g);
    write_key(page, g);
    fputs("</figure>\n", page);
    free(svg);
    return;
fail:
    free(svg);
    figures->failed = 1;
    fputs("<p>This figure and the curves after it are not drawn: ", page);
    meta_html_text(page, figures->why.text);
    fputs(".</p>\n", page);
}

void meta_figure_draw(struct meta_figures *figures, const struct meta_figure *g)
{
    int parts = g->count > MOST ? (g->count + MOST - 1) / MOST : 1;
    for (int k = 0; k < parts; k++) {
        struct meta_figure part = *g;
        char of[32] = "";
        if (parts > 1) snprintf(of, sizeof of, " (%d of %d)", k + 1, parts);
        part.lines += k * MOST;
        part.count = g->count - k * MOST < MOST ? g->count - k * MOST : MOST;
        draw(figures, &part, of);
    }
}
