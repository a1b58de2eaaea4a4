/* Writes the page of `meta evaluate`: its figures as tables, two charts, and the images that were
   taken for another class. */
#include "evaluation_page.h"
#include "base/plural.h"
#include "figure.h"
#include "html.h"
#include "html_page.h"
#include "stats/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_MISTAKES 200

static const char title[] = "Evaluation";

static const char reading[] =
    "<section><h2>How to read this page</h2>\n<div class=\"prose\">"
    "<p>In parentheses are 95% intervals: were images of as many other patients evaluated in the "
    "same way, 95 of 100 such intervals would hold the figure that all patients have. They are "
    "over groups, images that belong together, since photographs of one lesion say less than as "
    "many of different ones.</p>\n"
    "<p>AUC is the chance that an image of the class has a higher probability of it than an image "
    "of another class; 0.5 is guessing. Balanced accuracy is the mean over the classes of the "
    "share of a class&rsquo;s images that is answered right, whatever their numbers. "
    "Sensitivity is the share of a class&rsquo;s images that the threshold finds, specificity the "
    "share of all others that it leaves out; a threshold is chosen on images that are neither "
    "evaluated here nor learned from.</p>\n"
    "<p>NLL is the mean of the negative logarithm of the probability of an image&rsquo;s class, "
    "Brier score the mean squared error of probabilities; of both, less is better. ECE is how far, "
    "on average, the probability of an answer is from the share of such answers that are "
    "right.</p>\n<p>Images chosen otherwise than those that the classifier will see, by another "
    "device or of other patients, may give other figures. This is research, and no medical "
    "device.</p></div></section>\n";

static void write_interval(FILE *f, const struct meta_interval *i)
{
    if (isnan(i->value)) {
        fprintf(f, "<span class=\"none\">none: %s</span>", i->why);
        return;
    }
    fprintf(f, "<b>%.4f</b> ", i->value);
    if (isnan(i->low)) fprintf(f, "<span class=\"none\">%s</span>", i->why);
    else fprintf(f, "<span class=\"interval\">(%.4f to %.4f)</span>", i->low, i->high);
}

static void write_cell(FILE *f, const char *column, const struct meta_interval *i)
{
    fprintf(f, "<td data-column=\"%s\">", column);
    write_interval(f, i);
    fputs("</td>", f);
}

static void write_row(FILE *f, const char *name, const struct meta_interval *i)
{
    fprintf(f, "<tr><th>%s</th>", name);
    write_cell(f, "", i);
    fputs("</tr>\n", f);
}

/* A mean over the classes. */
static void write_mean(FILE *f, const char *name, const struct meta_interval *i,
                       const struct meta_assessment_report *r)
{
    const char *lacking = meta_report_lacking(r, i);
    int present = r->figures->present, classes = r->figures->classes;
    fprintf(f, "<tr><th>%s</th><td data-column=\"\">", name);
    if (lacking) {
        fputs("<span class=\"none\">none: no image of the class ", f);
        meta_html_text(f, lacking);
        fputs("</span>", f);
    } else write_interval(f, i);
    if (!isnan(i->value) && present < classes)
        fprintf(f, ", of %d of %d classes", present, classes);
    fputs("</td></tr>\n", f);
}

static void write_name(FILE *f, const char *name)
{
    fputs("<th>", f);
    meta_html_text(f, name);
    fputs("</th>", f);
}

static void write_warning(FILE *f, const char *text)
{
    fputs("<p class=\"worse\"><b>", f);
    meta_html_text(f, text);
    fputs(".</b></p>\n", f);
}

/* ---- head ------------------------------------------------------------------------------------ */

/* How many images of each class are answered right, in words. */
static void write_right(FILE *f, const struct meta_assessment_report *r)
{
    const struct meta_assessment *a = r->figures;
    const char *before = "<p>Answered right: ";
    for (int k = 0; k < a->classes; k++) {
        if (!a->class[k].images) continue;
        fprintf(f, "%s<b>%d of %d</b> ", before, a->confusion[k * a->classes + k],
                a->class[k].images);
        meta_html_text(f, r->names[k]);
        before = ", ";
    }
    if (*before == ',') fputs(".</p>\n", f);
}

static void write_head(FILE *f, const struct meta_assessment_report *r)
{
    int n = r->assessed->clusters.count, groups = r->assessed->clusters.groups;
    fputs("<p class=\"caption\">", f);
    meta_html_text(f, r->cfg);
    fputs(" with ", f);
    meta_html_text(f, r->weights);
    fprintf(f, ", on %d image%s of ", n, meta_plural(n));
    meta_html_text(f, r->images);
    if (r->grouped) {
        fprintf(f, ", in %d group%s", groups, meta_plural(groups));
        if (r->groupless)
            fprintf(f, "; %d of the images %s in no group, and each counts as one", r->groupless,
                    r->groupless == 1 ? "is" : "are");
        fputs(".</p>\n", f);
    } else
        fputs(". They are in no groups: each is taken for unlike any other, and where several show "
              "the same patient or lesion the intervals are too narrow.</p>\n",
              f);
    if (r->copies > 1)
        fprintf(f,
                "<p>Each answer is the mean of %d copies of the image: flips and quarter "
                "turns.</p>\n",
                r->copies);
    write_right(f, r);
    for (int i = 0; i < r->untold_count; i++) write_warning(f, r->untold[i]);
    if (!r->learned_count && r->beside)
        fprintf(f,
                "<p class=\"worse\"><b>%d of the images %s of groups with other pages of files "
                "that "
                "the classifier has learned from: the figures are too good.</b></p>\n",
                r->beside, r->beside == 1 ? "is" : "are");
    if (!r->learned_count) return;
    fprintf(f,
            "<p class=\"worse\"><b>%d of the images %s among those that the classifier has "
            "learned from",
            r->learned_count, r->learned_count == 1 ? "is" : "are");
    if (r->beside)
        fprintf(f, ", and %d more %s of their groups", r->beside, r->beside == 1 ? "is" : "are");
    fputs(": the figures are too good.</b></p>\n", f);
}

static void write_summary(FILE *f, const struct meta_assessment_report *r)
{
    const struct meta_assessment *a = r->figures;
    const struct meta_interval ece = { a->ece.mean, a->ece.error, a->ece.low, a->ece.high,
                                       "fewer than two groups: no interval" };
    fputs("<section><h2>All classes</h2>\n<div class=\"wide\"><table>\n", f);
    write_mean(f, "Balanced accuracy", &a->balanced, r);
    write_row(f, "Accuracy", &a->accuracy);
    write_mean(f, a->classes == 2 ? "AUC" : "AUC, mean over the classes", &a->auc, r);
    write_row(f, "NLL", &a->nll);
    write_row(f, "Brier score", &a->brier);
    write_row(f, "ECE", &ece);
    fputs("</table></div></section>\n", f);
}

/* ---- classes --------------------------------------------------------------------------------- */

static void write_classes(FILE *f, const struct meta_assessment_report *r)
{
    fputs("<section><h2>Each class</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Class</th>"
          "<th>Images</th>",
          f);
    if (r->grouped) fputs("<th>Groups</th>", f);
    fputs("<th>AUC against the others</th><th>Answered right</th></tr></thead>\n<tbody>", f);
    for (int k = 0; k < r->figures->classes; k++) {
        const struct meta_class_figures *c = &r->figures->class[k];
        fputs("<tr>", f);
        write_name(f, r->names[k]);
        fprintf(f, "<td data-column=\"Images\">%d</td>", c->images);
        if (r->grouped) fprintf(f, "<td data-column=\"Groups\">%d</td>", c->groups);
        write_cell(f, "AUC against the others", &c->auc);
        write_cell(f, "Answered right", &c->recall);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div></section>\n", f);
}

static void write_pairs(FILE *f, const struct meta_assessment_report *r)
{
    int classes = r->figures->classes;
    if (classes < 3) return;
    fputs("<section><h2>Two classes at a time</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
          "<th>Classes</th><th></th><th>AUC between them</th></tr></thead>\n<tbody>",
          f);
    for (int a = 0; a < classes; a++)
        for (int b = a + 1; b < classes; b++) {
            fputs("<tr>", f);
            write_name(f, r->names[a]);
            write_name(f, r->names[b]);
            write_cell(f, "AUC", &r->figures->pairs[a * classes + b]);
            fputs("</tr>\n", f);
        }
    fputs("</tbody></table></div></section>\n", f);
}

/* On how many images and groups a threshold was chosen. */
static void write_chosen(FILE *f, const struct meta_assessment_report *r,
                         const struct meta_threshold *t)
{
    fprintf(f, "<td data-column=\"Chosen on\">%d image%s", t->images, meta_plural(t->images));
    if (r->chosen_grouped) fprintf(f, " in %d group%s", t->groups, meta_plural(t->groups));
    if (t->images && meta_threshold_few(t, r->chosen_grouped))
        fputs(" <span class=\"worse\">so few that others may give quite another "
              "threshold</span>",
              f);
    fputs("</td>", f);
}

static void write_thresholds(FILE *f, const struct meta_assessment_report *r)
{
    if (!r->thresholds) return;
    fprintf(f,
            "<section><h2>Thresholds</h2>\n<p>Each is the highest that finds %g of the "
            "class&rsquo;s images in ",
            r->sensitivity);
    meta_html_text(f, r->chosen_on);
    fputs(", which has none of the images of this page.</p>\n", f);
    for (int i = 0; i < r->chosen_told_count; i++) write_warning(f, r->chosen_told[i]);
    fputs("<div class=\"wide\"><table>\n<thead><tr><th>Class</th><th>Probability from</th>"
          "<th>Chosen on</th><th>Sensitivity</th><th>Specificity</th></tr></thead>\n<tbody>",
          f);
    for (int k = 0; k < r->figures->classes; k++) {
        const struct meta_class_figures *c = &r->figures->class[k];
        char text[META_THRESHOLD_TEXT];
        fputs("<tr>", f);
        write_name(f, r->names[k]);
        if (r->thresholds[k].why)
            fprintf(f, "<td class=\"none\">none: %s</td>", r->thresholds[k].why);
        else
            fprintf(f, "<td data-column=\"Probability from\">%s</td>",
                    meta_assess_threshold_text(r->thresholds[k].log_odds, text));
        write_chosen(f, r, &r->thresholds[k]);
        write_cell(f, "Sensitivity", &c->sensitivity);
        write_cell(f, "Specificity", &c->specificity);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div></section>\n", f);
}

static void write_confusion(FILE *f, const struct meta_assessment_report *r)
{
    int classes = r->figures->classes;
    fputs("<section><h2>Answers</h2>\n<p>Images of a class (row) by their answer "
          "(column).</p>\n<div class=\"wide\"><table>\n<thead><tr><th></th>",
          f);
    for (int k = 0; k < classes; k++) write_name(f, r->names[k]);
    fputs("</tr></thead>\n<tbody>", f);
    for (int k = 0; k < classes; k++) {
        fputs("<tr>", f);
        write_name(f, r->names[k]);
        for (int a = 0; a < classes; a++) {
            int n = r->figures->confusion[k * classes + a];
            fputs("<td data-column=\"", f);
            meta_html_text(f, r->names[a]);
            fprintf(f, a == k ? "\"><b>%d</b></td>" : "\">%d</td>", n);
        }
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div></section>\n", f);
}

/* ---- charts ---------------------------------------------------------------------------------- */

static int draw_curves(struct meta_figures *figures, const struct meta_assessment_report *r,
                       struct meta_error *error)
{
    int classes = r->figures->classes, first = classes == 2, status = 0;
    struct meta_line *lines = calloc((size_t)classes, sizeof *lines);
    double(**points)[4] = calloc((size_t)classes, sizeof *points);
    if (!lines || !points) status = meta_fail_memory(error);
    for (int k = first; k < classes && !status; k++) { /* of two classes one has both's */
        double(*curve)[2];
        int count;
        if ((status = meta_assess_curve(&curve, &count, r->assessed, k, error))) break;
        points[k] = malloc(((size_t)count + 1) * sizeof *points[k]);
        if (!points[k]) status = meta_fail_memory(error);
        for (int i = 0; i < count && !status; i++)
            memcpy(points[k][i], (double[]){ curve[i][0], curve[i][1], NAN, NAN },
                   sizeof points[k][i]);
        free(curve);
        lines[k] = (struct meta_line){ r->names[k], count, 0, points[k] };
    }
    const struct meta_figure g = { classes == 2 ? "ROC curve"
                                                : "ROC curve of each class against the others",
                                   "1 - specificity",
                                   "sensitivity",
                                   0,
                                   1,
                                   0,
                                   1,
                                   1,
                                   classes - first,
                                   lines + first };
    if (!status) meta_figure_draw(figures, &g);
    for (int k = 0; points && k < classes; k++) free(points[k]);
    free(points);
    free(lines);
    return status;
}

static void draw_reliability(struct meta_figures *figures, const struct meta_assessment *a)
{
    double points[META_CALIBRATION_BINS][4];
    int count = 0;
    for (int b = 0; b < META_CALIBRATION_BINS; b++) {
        const struct meta_calibration_bin *own = &a->bins[b];
        if (!(own->count > 0)) continue;
        double *p = points[count++];
        p[0] = own->confidence / own->count;
        p[1] = own->correct / own->count;
        meta_share_interval(p[1], own->count, &p[2], &p[3]);
    }
    const struct meta_line line = { "of the images, with its interval by their number", count, 1,
                                    points };
    const struct meta_figure g = { "Reliability: above the dashed line answers are right more "
                                   "often than they say",
                                   "probability of the answer",
                                   "share that is right",
                                   0,
                                   1,
                                   0,
                                   1,
                                   1,
                                   1,
                                   &line };
    meta_figure_draw(figures, &g);
}

/* ---- images ---------------------------------------------------------------------------------- */

static void write_mistakes(FILE *f, const struct meta_assessment_report *r)
{
    int classes = r->figures->classes, count = 0;
    fputs("<section><h2>Images taken for another class</h2>\n<div "
          "class=\"wide\"><table>\n<thead><tr>"
          "<th>Image</th><th>Class</th><th>Answer</th><th>Its probability</th></tr></thead>\n"
          "<tbody>",
          f);
    for (int i = 0; i < r->assessed->clusters.count; i++) {
        const double *own = r->assessed->log_odds + (size_t)i * classes;
        int answer = meta_assess_answer(own, classes), label = r->assessed->labels[i];
        if (answer == label || ++count > MOST_MISTAKES) continue;
        fputs("<tr><td data-column=\"Image\">", f);
        meta_html_text(f, r->paths[i]);
        fputs("</td><td data-column=\"Class\">", f);
        meta_html_text(f, r->names[label]);
        fputs("</td><td data-column=\"Answer\">", f);
        meta_html_text(f, r->names[answer]);
        fprintf(f, "</td><td data-column=\"Its probability\">%.4f</td></tr>\n",
                meta_assess_probability(own[answer]));
    }
    meta_html_close_table(f);
    if (!count) fputs("<p>None is.</p>\n", f);
    if (count > MOST_MISTAKES) fprintf(f, "<p>The first %d of %d.</p>\n", MOST_MISTAKES, count);
    fputs("</section>\n", f);
}

int meta_evaluation_page_is(const char *path) { return meta_html_page_is(path, "evaluate"); }

int meta_evaluation_page(FILE *f, const struct meta_assessment_report *r, struct meta_error *lacks,
                         struct meta_error *error)
{
    struct meta_figures figures = { .page = f };
    meta_html_page_begin(f, "evaluate", title);
    write_head(f, r);
    write_summary(f, r);
    write_classes(f, r);
    write_pairs(f, r);
    write_thresholds(f, r);
    write_confusion(f, r);
    fputs("<section><h2>Curves</h2>\n<div class=\"figures-row\">\n", f);
    if (draw_curves(&figures, r, error)) return -1;
    draw_reliability(&figures, r->figures);
    fputs("</div></section>\n", f);
    write_mistakes(f, r);
    fputs(reading, f);
    meta_html_page_end(f);
    *lacks = figures.why;
    return 0;
}
