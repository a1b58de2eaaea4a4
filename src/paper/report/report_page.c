/* Writes the page: its head, what its numbers mean, and a section a table. */
#include "report_page.h"
#include "base/plural.h"
#include "html.h"
#include "html_page.h"
#include "figure.h"
#include "dots.h"
#include "report_dots.h"
#include "report_figures.h"
#include "report_reliability.h"
#include "report_tables.h"

static const char method[] =
    "<section id=\"reading\"><h2>How to read this page</h2>\n<div class=\"prose\">"
    "<p>Each figure is the area under the ROC curve of a method that sees so many images (shots) "
    "of each class of a task, averaged over random tasks; all methods of a table are tested on the "
    "same tasks. Of more than two classes it is the mean over the classes of each against the "
    "rest.</p>\n<p>Intervals are of the mean over tasks: they say how well the tasks tell this one "
    "training, not how trainings differ. Where a method has several trainings, its interval is "
    "over these, by Student&rsquo;s t. Tasks draw again and again from the same few images: "
    "the interval with <i>other groups</i> is of tasks whose images, query and support, "
    "were drawn anew as well, group by group (such as lesions).</p>\n";

/* Only where a table gives figures of a paper. */
static const char paper[] = "<p>A paper&rsquo;s figures, from the table&rsquo;s file, are taken "
                            "for means over as many "
                            "tasks as our first, without an interval: beside ours such a figure is "
                            "given the error that "
                            "so many of our tasks have.</p>\n";

static int count_done(const struct meta_report_table *t)
{
    int done = 0;
    for (int i = 0; i < t->cell_count; i++) done += t->cells[i].result != NULL;
    return done;
}

/* Tasks that are in the means with an AUC of chance. */
static void write_diverged(FILE *f, const struct meta_report_table *t)
{
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        int diverged = meta_report_diverged(c);
        if (!diverged) continue;
        fputs("<p>", f);
        meta_html_text(f, c->label);
        fprintf(f, ", %d shot%s: %d of the tasks diverged, their AUC counts as 0.5.</p>\n",
                c->shots, meta_plural(c->shots), diverged);
    }
}

static int write_curves(struct meta_figures *figures, const struct meta_report_table *t,
                        struct meta_error *error)
{
    fputs("<div class=\"figures-row\">\n", figures->page);
    if (meta_report_roc(figures, t, error) || meta_report_reliability(figures, t, error)
        || meta_report_curves(figures, t, error) || meta_report_finetuning(figures, t, error))
        return -1;
    fputs("</div>\n", figures->page);
    return 0;
}

/* The figures of the dot plots, and what these leave out, as numbers. */
static int write_numbers(FILE *f, const struct meta_report_table *t, struct meta_error *error)
{
    fputs("<details open><summary>The figures in numbers</summary>\n", f);
    meta_report_figures_table(f, t);
    write_diverged(f, t);
    meta_report_differences(f, t);
    if (meta_report_trainings(f, t, error)) return -1;
    fputs("</details>\n", f);
    return 0;
}

/* What the table compares, and how much of it is run. */
static void write_heading(FILE *f, const struct meta_report_table *t)
{
    if (*t->caption) {
        fputs("<p class=\"caption\">", f);
        meta_html_text(f, t->caption);
        fputs("</p>\n", f);
    }
    fprintf(f, "<p>%d of %d cells are run. Each is tested on %d tasks.", count_done(t),
            t->cell_count, t->runs);
    if (*t->needs) {
        fputs(" Its data were not there: it needs ", f);
        meta_html_text(f, t->needs);
        fputc('.', f);
    }
    fputs(" <a href=\"#reading\">How to read this</a></p>\n", f);
}

/* Writes the section of a table, to which #table-NUMBER leads; without a headline where the page
   has the table's name. */
static int write_table(struct meta_figures *figures, const struct meta_report *r, int number,
                       struct meta_error *error)
{
    FILE *f = figures->page;
    const struct meta_report_table *t = &r->tables[number - 1];
    fprintf(f, "<section id=\"table-%d\">", number);
    if (r->count > 1) {
        fputs("<h2>", f);
        meta_html_text(f, t->name);
        fputs("</h2>\n", f);
    }
    write_heading(f, t);
    if (meta_report_auc_dots(f, t, error) || meta_report_difference_dots(f, t, error)
        || write_curves(figures, t, error) || write_numbers(f, t, error))
        return -1;
    meta_report_pairs(f, t);
    meta_report_costs(f, t);
    meta_report_settings(f, t);
    fputs("</section>\n", f);
    return 0;
}

/* Title, style and headline, and links to the tables where there are several. */
static void write_top(FILE *f, const struct meta_report *r)
{
    int done = 0, cells = 0;
    for (int i = 0; i < r->count; i++) {
        done += count_done(&r->tables[i]);
        cells += r->tables[i].cell_count;
    }
    meta_html_page_begin(f, "report",
                         r->count == 1 ? r->tables->name : "Results"); /* one table: its name */
    meta_dots_marks(f);
    if (r->count < 2) return;
    fprintf(f, "<p>%d of %d cells of %d tables are run.</p>\n<nav>", done, cells, r->count);
    for (int i = 0; i < r->count; i++) {
        fprintf(f, "<a href=\"#table-%d\">", i + 1);
        meta_html_text(f, r->tables[i].name);
        fputs("</a>", f);
    }
    fputs("</nav>\n", f);
}

int meta_report_page(FILE *f, const struct meta_report *r, struct meta_error *lacks,
                     struct meta_error *error)
{
    struct meta_figures figures = { .page = f };
    int papers = 0;
    write_top(f, r);
    for (int i = 0; i < r->count; i++) {
        papers |= meta_report_has_paper(&r->tables[i]);
        if (write_table(&figures, r, i + 1, error)) return -1;
    }
    fputs(method, f);
    if (papers) fputs(paper, f);
    fputs("</div></section>\n<section><h2>The loss</h2>\n<div class=\"figures-row\">\n", f);
    if (meta_report_difficulty(&figures, error)) return -1;
    fputs("</div></section>\n", f);
    meta_html_page_end(f);
    *lacks = figures.why;
    return 0;
}
