/* Writes a dot plot: legend, axis, and a line a figure with its drawing and its numbers. On a
   narrow screen the style sheet breaks each line in two, and names the numbers by data-column. */
#include "dots.h"
#include "base/plural.h"
#include "html.h"

#include <math.h>
#include <string.h>

enum { MARKS = 6, TICKS_MOST = 9 };

/* Ends of the axis, and the distance between its ticks. */
struct axis {
    double low, high, step;
};

/* What the plot has beside means and their intervals. */
struct kinds {
    int other, paper, word, trainings;
    int middle; /* a line at 0, or at chance */
};

void meta_dots_marks(FILE *f)
{
    fputs("<svg class=\"marks\" aria-hidden=\"true\"><defs>"
          "<circle id=\"mark-0\" r=\"5.5\"/>"
          "<rect id=\"mark-1\" x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>"
          "<path id=\"mark-2\" d=\"M0-6.5 6 4.5-6 4.5z\"/>"
          "<path id=\"mark-3\" d=\"M0 6.5 6-4.5-6-4.5z\"/>"
          "<path id=\"mark-4\" d=\"M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z\"/>"
          "<path id=\"mark-5\" d=\"M-6-3.5-3.5-6 0-2.5 3.5-6 6-3.5 2.5 0 6 3.5 3.5 6 0 2.5-3.5 6-6 "
          "3.5-2.5 0z\"/>"
          "<circle id=\"mark-each\" r=\"2.5\"/>"
          "<path id=\"mark-cited\" d=\"M0-6 6 0 0 6-6 0z\"/></defs></svg>\n",
          f);
}

/* Marks are as many as colours: the second time round each has another colour. */
static int colour(int column) { return (column + column / MARKS) % MARKS; }

/* ---- axis ------------------------------------------------------------------------------------ */

static void widen(struct axis *a, double x)
{
    if (isnan(x)) return;
    if (isnan(a->low) || x < a->low) a->low = x;
    if (isnan(a->high) || x > a->high) a->high = x;
}

/* An axis that holds every number of the plot, but nothing beyond what an AUC, or a difference of
   two, can be: an interval by Student's t may. */
static struct axis find_axis(const struct meta_dots *d)
{
    static const double steps[] = { .1, .2, .5, 1, 2, 5, 10, 20, 50 };
    struct axis a = { NAN, NAN, 0 };
    double least = d->is_difference ? -100 : 0;
    if (d->is_difference) widen(&a, 0);
    for (const struct meta_dot *l = d->lines; l < d->lines + d->count; l++) {
        double all[] = { l->mean, l->low, l->high, l->other_low, l->other_high, l->paper };
        for (int i = 0; i < 6; i++) widen(&a, all[i]);
        for (int i = 0; i < l->done; i++) widen(&a, l->each[i]);
    }
    if (isnan(a.low)) a.low = a.high = 50;
    a.low = fmax(a.low, least);
    a.high = fmin(a.high, 100);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double low = floor(a.low / steps[i] + 1e-6), high = ceil(a.high / steps[i] - 1e-6);
        if (high <= low) high = low + 1;
        a.step = steps[i];
        if (high - low >= TICKS_MOST) continue;
        return (struct axis){ low * a.step, high * a.step, a.step };
    }
    return a;
}

/* Where x is on the axis, as a percentage of the drawing's width. Marks at the ends are whole. */
static double place(const struct axis *a, double x)
{
    return 2 + 96 * (fmin(a->high, fmax(a->low, x)) - a->low) / (a->high - a->low);
}

static int tick_count(const struct axis *a)
{
    return (int)lround((a->high - a->low) / a->step) + 1;
}

static double tick(const struct axis *a, int i)
{
    double x = a->low + i * a->step;
    return fabs(x) < a->step / 2 ? 0 : x;
}

/* The row of the axis' numbers. kind: thead or tfoot. */
static void write_axis(FILE *f, const struct axis *a, const struct meta_dots *d)
{
    fputs("<svg class=\"axis\" aria-hidden=\"true\">", f);
    for (int i = 0; i < tick_count(a); i++) {
        double x = tick(a, i);
        fprintf(f, "<text x=\"%.2f%%\" y=\"80%%\">", place(a, x));
        fprintf(f, d->is_difference && x ? "%+g</text>" : "%g</text>", x);
    }
    fputs("</svg>", f);
}

/* ---- one line -------------------------------------------------------------------------------- */

static void line(FILE *f, const char *kind, double from, double to)
{
    fprintf(f, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"50%%\" y2=\"50%%\"/>", kind,
            from, to);
}

static void mark(FILE *f, const char *name, double x)
{
    fprintf(f, "<use href=\"#mark-%s\" class=\"%s\" x=\"%.2f%%\" y=\"50%%\"/>", name, name, x);
}

/* What an interval says of a difference, and to what it is. */
static void write_word(FILE *f, const struct meta_dot *l)
{
    meta_html_text(f, l->word);
    if (!l->beside || !*l->beside) return;
    fputs(*l->word ? ", beside " : "beside ", f);
    meta_html_text(f, l->beside);
}

/* What the drawing of a line shows, in words. */
static void describe(FILE *f, const struct meta_dots *d, const struct meta_dot *l)
{
    const char *format = d->is_difference ? "%+.2f" : "%.2f";
    fputs("<title>", f);
    meta_html_text(f, l->label);
    fprintf(f, ", %d shot%s: ", l->shots, meta_plural(l->shots));
    if (isnan(l->mean)) meta_html_text(f, l->missing);
    else fprintf(f, format, l->mean);
    if (!isnan(l->mean) && !isnan(l->low))
        fprintf(f, d->is_difference ? " (%+.2f to %+.2f)" : " (%.2f to %.2f)", l->low, l->high);
    fputs("</title>", f);
    if (isnan(l->other_low) && isnan(l->paper) && !*l->word) return;
    fputs("<desc>", f);
    write_word(f, l);
    if (!isnan(l->other_low)) {
        fputs(*l->word ? "; of other " : "of other ", f);
        meta_html_text(f, d->groups);
        fprintf(f, d->is_difference ? " %+.2f to %+.2f" : " %.2f to %.2f", l->other_low,
                l->other_high);
    }
    if (!isnan(l->paper)) {
        if (!isnan(l->other_low)) fputs("; ", f);
        meta_html_text(f, d->paper);
        fprintf(f, " %.2f", l->paper);
    }
    fputs("</desc>", f);
}

/* A line from top to bottom. */
static void upright(FILE *f, const char *kind, double x)
{
    fprintf(f, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"100%%\"/>", kind, x,
            x);
}

/* has_middle: there is a line at 0, or at chance, which need not be at a tick. */
static void write_drawing(FILE *f, const struct meta_dots *d, const struct axis *a, int has_middle,
                          const struct meta_dot *l)
{
    char name[] = "0";
    double middle = d->is_difference ? 0 : 50;
    *name += (char)(l->column % MARKS);
    fprintf(f, "<svg class=\"strip c%d\" role=\"img\">", colour(l->column));
    describe(f, d, l);
    for (int i = 0; i < tick_count(a); i++)
        if (!has_middle || fabs(tick(a, i) - middle) > 1e-6 * a->step)
            upright(f, "tick", place(a, tick(a, i)));
    if (has_middle) upright(f, "middle", place(a, middle));
    if (!isnan(l->other_low)) line(f, "other", place(a, l->other_low), place(a, l->other_high));
    if (!isnan(l->low)) line(f, "interval", place(a, l->low), place(a, l->high));
    for (int i = 0; i < l->done; i++) mark(f, "each", place(a, l->each[i]));
    if (!isnan(l->mean)) mark(f, name, place(a, l->mean));
    if (!isnan(l->paper)) mark(f, "cited", place(a, l->paper));
    fputs("</svg>", f);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void open_number(FILE *f, const char *column, const char *kind)
{
    fprintf(f, "<td class=\"n%s\" data-column=\"", kind);
    meta_html_text(f, column);
    fputs("\">", f);
}

/* An interval. Differences have the colour of what it says of them. */
static void range(FILE *f, const struct meta_dots *d, const char *column, double low, double high)
{
    if (isnan(low)) {
        fputs("<td class=\"n none\">&ndash;</td>", f);
        return;
    }
    open_number(f, column, !d->is_difference ? "" : low > 0 ? " above" : high < 0 ? " below" : "");
    fprintf(f, d->is_difference ? "%+.2f to %+.2f</td>" : "%.2f&ndash;%.2f</td>", low, high);
}

static void write_numbers(FILE *f, const struct meta_dots *d, const struct kinds *has,
                          const struct meta_dot *l)
{
    char other[100];
    snprintf(other, sizeof other, "other %.80s", d->groups);
    if (isnan(l->mean)) {
        fprintf(f, "<td class=\"none\" colspan=\"%d\">", 2 + has->other + has->word);
        meta_html_text(f, l->missing);
        fputs("</td>", f);
    } else {
        open_number(f, "", "");
        fprintf(f, d->is_difference ? "<b>%+.2f</b></td>" : "<b>%.2f</b></td>", l->mean);
        range(f, d, "95%", l->low, l->high);
        if (has->other) range(f, d, other, l->other_low, l->other_high);
        if (has->word) {
            fputs("<td class=\"word\">", f);
            write_word(f, l);
            fputs("</td>", f);
        }
    }
    if (!has->paper) return;
    if (isnan(l->paper)) fputs("<td class=\"n empty\"></td>", f);
    else {
        open_number(f, d->paper, "");
        fprintf(f, "%.2f</td>", l->paper);
    }
}

/* The method's name, beside all lines that have it. */
static void write_label(FILE *f, const struct meta_dot *l, const struct meta_dot *end)
{
    const struct meta_dot *after = l;
    while (after < end && after->label == l->label) after++;
    fprintf(f, "<th class=\"method\" scope=\"rowgroup\" rowspan=\"%d\">", (int)(after - l));
    meta_html_text(f, l->label);
    fputs("</th>", f);
}

static void write_lines(FILE *f, const struct meta_dots *d, const struct axis *a,
                        const struct kinds *has)
{
    const struct meta_dot *end = d->lines + d->count;
    for (const struct meta_dot *l = d->lines; l < end; l++) {
        int first = l == d->lines || l[-1].label != l->label;
        if (first) fputs(l == d->lines ? "<tbody>\n" : "</tbody><tbody>\n", f);
        fputs("<tr>", f);
        if (first) write_label(f, l, end);
        fprintf(f, "<th class=\"shots\" scope=\"row\">%d shot%s", l->shots, meta_plural(l->shots));
        if (l->trainings > 1)
            fprintf(f, " <small>%d of %d trainings</small>", l->done, l->trainings);
        fputs("</th><td class=\"drawing\">", f);
        write_drawing(f, d, a, has->middle, l);
        fputs("</td>", f);
        write_numbers(f, d, has, l);
        fputs("</tr>\n", f);
    }
    fputs("</tbody>\n", f);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static struct kinds find_kinds(const struct meta_dots *d, const struct axis *a)
{
    struct kinds has = { .middle = d->is_difference || (a->low <= 50 && a->high >= 50) };
    for (const struct meta_dot *l = d->lines; l < d->lines + d->count; l++) {
        has.other |= !isnan(l->other_low);
        has.paper |= !isnan(l->paper);
        has.word |= *l->word != 0;
        has.trainings |= l->trainings > 1;
    }
    return has;
}

/* One entry of the legend: a drawing and what it stands for. */
static void key(FILE *f, const char *drawing, const char *before, const char *text)
{
    fprintf(f, "<li><svg class=\"sample\" aria-hidden=\"true\">%s</svg>%s", drawing, before);
    meta_html_text(f, text);
    fputs("</li>", f);
}

static void write_legend(FILE *f, const struct meta_dots *d, const struct kinds *has)
{
    fputs("<ul class=\"key\">", f);
    for (int i = 0; i < d->columns; i++)
        fprintf(f,
                "<li class=\"c%d\"><svg class=\"sample\" aria-hidden=\"true\"><use "
                "href=\"#mark-%d\" class=\"%d\" x=\"50%%\" y=\"50%%\"/></svg>%d shot%s</li>",
                colour(i), i % MARKS, i % MARKS, d->shots[i], meta_plural(d->shots[i]));
    key(f, "<line class=\"interval\" x1=\"0\" x2=\"100%\" y1=\"50%\" y2=\"50%\"/>", "95% interval ",
        d->interval);
    if (has->other)
        key(f, "<line class=\"other\" x1=\"0\" x2=\"100%\" y1=\"50%\" y2=\"50%\"/>",
            "the same with other ", d->groups);
    if (has->trainings)
        key(f, "<use href=\"#mark-each\" class=\"each\" x=\"50%\" y=\"50%\"/>", "", "one training");
    if (has->middle)
        key(f, "<line class=\"middle\" x1=\"50%\" x2=\"50%\" y1=\"0\" y2=\"100%\"/>", "",
            d->is_difference ? "no difference" : "chance");
    if (has->paper)
        key(f, "<use href=\"#mark-cited\" class=\"cited\" x=\"50%\" y=\"50%\"/>", "", d->paper);
    fputs("</ul>\n", f);
}

static void write_head(FILE *f, const struct meta_dots *d, const struct axis *a,
                       const struct kinds *has)
{
    fputs("<table><thead><tr><th scope=\"col\">method</th><th scope=\"col\">shots</th>"
          "<th class=\"drawing\" scope=\"col\"><span>",
          f);
    meta_html_text(f, d->axis);
    fputs("</span>", f);
    write_axis(f, a, d);
    fprintf(f, "</th><th class=\"n\" scope=\"col\">%s</th><th class=\"n\" scope=\"col\">95%%</th>",
            d->is_difference ? "difference" : "AUC");
    if (has->other) {
        fputs("<th class=\"n\" scope=\"col\">other ", f);
        meta_html_text(f, d->groups);
        fputs("</th>", f);
    }
    if (has->word) fputs("<th class=\"word\" scope=\"col\">in a word</th>", f);
    if (has->paper) {
        fputs("<th class=\"n\" scope=\"col\">", f);
        meta_html_text(f, d->paper);
        fputs("</th>", f);
    }
    fputs("</tr></thead>\n", f);
}

void meta_dots_write(FILE *f, const struct meta_dots *d)
{
    if (!d->count) return;
    struct axis a = find_axis(d);
    struct kinds has = find_kinds(d, &a);
    fputs("<figure class=\"dots\"><figcaption>", f);
    meta_html_text(f, d->title);
    fputs("</figcaption>\n", f);
    write_legend(f, d, &has);
    write_head(f, d, &a, &has);
    write_lines(f, d, &a, &has);
    fprintf(f, "<tfoot><tr><td></td><td></td><td class=\"drawing\">");
    write_axis(f, &a, d);
    fprintf(f, "</td><td colspan=\"%d\"></td></tr></tfoot></table></figure>\n",
            2 + has.other + has.word + has.paper);
}
