/* Draws the losses, accuracies and rates of a training by gnuplot, now and then. */
#define _GNU_SOURCE
#include "chart.h"
#include "base/clock.h"
#include "base/gnuplot.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BETWEEN 30. /* seconds between drawings */
#define PATIENCE 8. /* seconds that the last drawing may take */
#define POINTS 800  /* the most that a curve of this width can show */

static int fail_chart(const struct meta_error *why, struct meta_error *error)
{
    return meta_fail(error, "no chart: %s: training goes on", why->text);
}

int meta_chart_open(struct meta_chart *c, enum meta_training_kind kind, const char *path,
                    const char *title, struct meta_error *error)
{
    struct meta_error why;
    memset(c, 0, sizeof *c);
    c->kind = kind;
    c->drawn = -BETWEEN;
    c->path = meta_path_target(path); /* a link stays one, as with the other files of a run */
    c->title = strdup(title);
    if (!c->path || asprintf(&c->temporary, "%s.tmp.%ld", c->path, (long)getpid()) < 0)
        c->temporary = NULL;
    if (c->title && c->temporary) return 0;
    meta_fail(&why, "%s: %s", path, strerror(errno));
    free(c->path);
    free(c->title);
    free(c->temporary);
    *c = (struct meta_chart){ .off = 1 };
    return fail_chart(&why, error);
}

/* Writes every point, and the mean of it and those before: a window of a thirtieth of the rows. */
static void write_points(FILE *f, const struct meta_row *rows, int count)
{
    int window = count / 30 < 5 ? 5 : count / 30, step = (count + POINTS - 1) / POINTS;
    double query = 0, meta = 0, accuracy = 0;
    fputs("$runs << EOD\n", f);
    for (int i = 0; i < count; i++) {
        int n = i + 1 < window ? i + 1 : window;
        const struct meta_row *r = &rows[i], *old = i >= window ? &rows[i - window] : NULL;
        query += r->query_loss - (old ? old->query_loss : 0);
        meta += r->meta_loss - (old ? old->meta_loss : 0);
        accuracy += r->accuracy - (old ? old->accuracy : 0);
        if (i % step == 0 || i == count - 1)
            fprintf(f, "%llu %g %g %g %g %g %g %g\n", (unsigned long long)r->iteration,
                    r->query_loss, query / n, r->meta_loss, meta / n, r->accuracy, accuracy / n,
                    r->rate);
    }
    fputs("EOD\n$valid << EOD\n", f);
    for (int i = 0; i < count; i++)
        if (!isnan(rows[i].auc) && !isnan(rows[i].low))
            fprintf(f, "%llu %g %g %g %g\n", (unsigned long long)rows[i].iteration, rows[i].auc,
                    rows[i].low, rows[i].high, rows[i].valid_loss);
    fputs("EOD\n", f);
}

static int has_valid(const struct meta_row *rows, int count)
{
    for (int i = 0; i < count; i++)
        if (!isnan(rows[i].auc) && !isnan(rows[i].low)) return 1;
    return 0;
}

struct drawing {
    const struct meta_chart *chart;
    const struct meta_row *rows;
    int count;
};

/* How the meta-loss is drawn beside the query loss. */
enum meta_loss_curve { SAME_CURVE, SAME_SCALE, OWN_SCALE };

/* Not where the two are equal throughout; on the scale of the query loss unless one of the two
   would be flat on it. */
static enum meta_loss_curve meta_loss_curve(const struct meta_row *rows, int count)
{
    double query = 0, meta = 0;
    int equal = 1;
    for (int i = 0; i < count; i++) {
        equal &= rows[i].query_loss == rows[i].meta_loss;
        query += fabs(rows[i].query_loss);
        meta += fabs(rows[i].meta_loss);
    }
    if (equal) return SAME_CURVE;
    return meta <= 4 * query && query <= 4 * meta ? SAME_SCALE : OWN_SCALE;
}

static void plot_two_losses(FILE *f, const char *points, enum meta_loss_curve curve)
{
    int own = curve == OWN_SCALE;
    fprintf(f, "set ylabel '%s'\nset yrange [0:*]\n", curve == SAME_SCALE ? "loss" : "query loss");
    if (own)
        fputs("set y2label 'meta-loss'\nset y2range [0:*]\nset ytics nomirror\nset y2tics\n", f);
    fprintf(f, "plot %s, $runs using 1:3 with lines ls 1 title 'query loss'", points);
    if (curve != SAME_CURVE)
        fprintf(f, ", $runs using 1:5 %swith lines ls 2 title 'meta-loss%s'",
                own ? "axes x1y2 " : "", own ? " (right)" : "");
    fputc('\n', f);
    if (own) fputs("unset y2tics\nunset y2label\nset ytics mirror\n", f);
}

/* Plots the losses, in the upper part of the picture. */
static void plot_losses(FILE *f, const struct drawing *d, int valid)
{
    const char *points = "$runs using 1:2 with points pt 7 ps .25 lc rgb '#a6cee3' notitle";
    if (d->chart->kind == META_TRAINING_IMAGES)
        fprintf(f,
                "set ylabel 'loss'\nset yrange [0:*]\nplot %s, $runs using 1:3 with lines ls 1 "
                "title 'loss of the mini-batches'%s\n",
                points,
                valid ? ", $valid using 1:5 with linespoints ls 3 pt 7 ps .6 title 'valid loss'"
                      : "");
    else plot_two_losses(f, points, meta_loss_curve(d->rows, d->count));
}

static void write_script(FILE *f, const void *drawing)
{
    const struct drawing *d = drawing;
    const struct meta_row *rows = d->rows;
    enum meta_training_kind kind = d->chart->kind;
    int count = d->count;
    unsigned long long first = rows[0].iteration, last = rows[count - 1].iteration;
    fputs("set terminal pngcairo size 1000,850\n", f);
    write_points(f, rows, count);
    fputs("set multiplot title '", f);
    for (const char *p = d->chart->title; *p; p++)
        if (*p == '\'') fputs("''", f);
        else if ((unsigned char)*p >= ' ') fputc(*p, f);
    fputs("' noenhanced\n", f);
    fprintf(f, "set xrange [%llu:%llu]\nset grid lc rgb '#dddddd'\nset key top right\n", first,
            last > first ? last : first + 1);
    fputs("set style line 1 lc rgb '#1f77b4' lw 2\nset style line 2 lc rgb '#d62728' lw 1.5\nset "
          "style line 3 lc rgb '#2ca02c' lw 2\n"
          "set lmargin at screen .09\nset rmargin at screen .92\n"
          "set tmargin at screen .94\nset bmargin at screen .58\n",
          f);
    int valid = has_valid(rows, count), images = kind == META_TRAINING_IMAGES;
    const char *figure = images ? "accuracy" : "AUC";
    plot_losses(f, d, valid);
    fputs("set yrange [*:1]\nset key bottom right\nset tmargin at screen .54\nset bmargin at "
          "screen .21\n",
          f);
    fprintf(f, "set ylabel '%s'\nplot ", valid && !images ? "accuracy, AUC" : "accuracy");
    if (valid)
        fprintf(f,
                "$valid using 1:3:4 with filledcurves fs solid .25 noborder lc rgb '#2ca02c' title "
                "'95%% of the valid %s', ",
                figure);
    fprintf(f,
            "$runs using 1:6 with points pt 7 ps .25 lc rgb '#a6cee3' notitle, "
            "$runs using 1:7 with lines ls 1 title 'accuracy of the %s'",
            images ? "mini-batches" : "training tasks");
    if (valid)
        fprintf(f, ", $valid using 1:2:3:4 with yerrorlines ls 3 pt 7 ps .6 title 'valid %s'",
                figure);
    double most = 0;
    for (int i = 0; i < count; i++)
        if (rows[i].rate > most) most = rows[i].rate;
    fprintf(f,
            "\nset tmargin at screen .17\nset bmargin at screen .07\nset ylabel 'rate'\nset xlabel "
            "'%s'\n"
            "set yrange [0:%g]\nset ytics (0, %g)\n",
            images ? "iteration" : "meta-iteration", most > 0 ? 1.3 * most : 1, most);
    fputs("plot $runs using 1:8 with lines ls 2 notitle\nunset multiplot\n", f);
}

/* Starts a gnuplot whose output is the temporary picture. */
static int start(struct meta_chart *c, const struct meta_row *rows, int count,
                 struct meta_error *error)
{
    struct drawing d = { c, rows, count };
    struct meta_error why;
    int picture = open(c->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    c->drawn = meta_now();
    if (picture < 0) {
        meta_fail(&why, "%s: %s", c->temporary, strerror(errno));
        return fail_chart(&why, error);
    }
    int status = meta_gnuplot_start(&c->child, write_script, &d, picture, &why);
    close(picture);
    if (!status) return 0;
    unlink(c->temporary);
    return fail_chart(&why, error);
}

/* Whether the file begins and ends as a PNG does. */
static int is_whole_png(const char *path)
{
    static const char signature[8] = "\x89PNG\r\n\x1a\n", trailer[8] = "IEND\xae\x42\x60\x82";
    char first[8], last[8];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    int whole = size >= 45 && pread(fd, first, 8, 0) == 8 && pread(fd, last, 8, size - 8) == 8
        && !memcmp(first, signature, 8) && !memcmp(last, trailer, 8);
    if (fd >= 0) close(fd);
    return whole;
}

/* Takes a drawing that is done within so many seconds. 1: nothing is being drawn; 0: gnuplot is
   still drawing; -1: it failed. */
static int take(struct meta_chart *c, double seconds, struct meta_error *error)
{
    struct meta_error why;
    if (!c->child) return 1;
    int state = meta_gnuplot_wait(&c->child, seconds, &why);
    if (state > 0 && !is_whole_png(c->temporary))
        state = meta_fail(&why, "gnuplot made no whole picture");
    if (!state || (state > 0 && !rename(c->temporary, c->path))) return state;
    if (state < 0) fail_chart(&why, error);
    else meta_fail(error, "%s: can't write: %s: training goes on", c->path, strerror(errno));
    unlink(c->temporary);
    return -1;
}

int meta_chart_update(struct meta_chart *c, const struct meta_row *rows, int count,
                      struct meta_error *error)
{
    if (c->off || !count) return 0;
    int state = take(c, 0, error);
    if (state == 1 && meta_now() - c->drawn >= BETWEEN) state = start(c, rows, count, error);
    c->off = state < 0;
    return c->off ? -1 : 0;
}

/* Waits until nothing is being drawn; past `end`, seconds of the monotonic clock, it gives the
   drawing up. */
static int wait_until(struct meta_chart *c, double end, struct meta_error *error)
{
    int state = take(c, end - meta_now(), error);
    if (state) return state < 0 ? -1 : 0;
    meta_gnuplot_end(&c->child);
    unlink(c->temporary);
    return meta_fail(error, "no chart: gnuplot took longer than %g seconds", PATIENCE);
}

int meta_chart_close(struct meta_chart *c, const struct meta_row *rows, int count,
                     struct meta_error *error)
{
    double end = meta_now() + PATIENCE;
    int status = 0;
    if (!c->off) {
        status = wait_until(c, end, error);
        if (!status && count)
            status = start(c, rows, count, error) || wait_until(c, end, error) ? -1 : 0;
    }
    free(c->path);
    free(c->temporary);
    free(c->title);
    memset(c, 0, sizeof *c);
    c->off = 1;
    return status;
}
