/* Writes the page: its head, what its numbers mean, and a section a table. */
#include "report_page.h"
#include "base/plural.h"
#include "html.h"
#include "page_css.h"
#include "figure.h"
#include "report_figures.h"
#include "report_tables.h"

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n"
                           "<meta name=\"color-scheme\" content=\"light dark\">\n"
                           "<title>";

/* Stands behind the title and behind the style sheet. */
static const char style[] = "</title>\n<style>\n", body[] = "</style></head>\n<body><main>\n<h1>";

static const char method[] =
    "<p>Each figure is the area under the ROC curve of a method that sees so many images (shots) "
    "of each class of a task, averaged over random tasks; all methods of a table are tested on the "
    "same tasks. Of more than two classes it is the mean over the classes of each against the "
    "rest. Intervals are of the mean over tasks: they say how well the tasks tell this one "
    "training, not how trainings differ. Tasks draw again and again from the same few images: "
    "where it says <i>other groups</i>, the interval is of tasks whose images, query and support, "
    "were drawn anew as well, group by group (such as lesions).";

/* Only where a table gives figures of a paper. */
static const char paper[] = " A paper&rsquo;s figures, from the table&rsquo;s file, are taken for "
                            "means over as many tasks "
                            "as our first, without an interval: beside ours such a figure is given "
                            "the error that so many "
                            "of our tasks have.";

/* A page of one table has its name. */
static void write_title(FILE *f, const struct meta_report *r)
{
    meta_html_text(f, r->count == 1 ? r->tables->name : "Results");
}

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
        fprintf(f, ", %d shots: %d of the tasks diverged, their AUC counts as 0.5.</p>\n", c->shots,
                diverged);
    }
}

/* Writes the section of a table, to which #table-NUMBER leads. */
static int write_table(struct meta_figures *figures, const struct meta_report_table *t, int number,
                       struct meta_error *error)
{
    FILE *f = figures->page;
    fprintf(f, "<section id=\"table-%d\"><h2>", number);
    meta_html_text(f, t->name);
    fprintf(f, "</h2>\n<p>%d of %d cells are run. Each is tested on %d tasks.", count_done(t),
            t->cell_count, t->runs);
    if (*t->needs) {
        fputs(" Its data were not there: it needs ", f);
        meta_html_text(f, t->needs);
        fputc('.', f);
    }
    fputs("</p>\n", f);
    meta_report_figures_table(f, t);
    write_diverged(f, t);
    meta_report_differences(f, t);
    if (meta_report_trainings(f, t, error)) return -1;
    fputs("<div class=\"figures-row\">\n", f);
    if (meta_report_roc(figures, t, error) || meta_report_curves(figures, t, error)
        || meta_report_finetuning(figures, t, error))
        return -1;
    fputs("</div>\n", f);
    meta_report_pairs(f, t);
    meta_report_costs(f, t);
    meta_report_settings(f, t);
    fputs("</section>\n", f);
    return 0;
}

int meta_report_page(FILE *f, const struct meta_report *r, struct meta_error *lacks,
                     struct meta_error *error)
{
    struct meta_figures figures = { .page = f };
    int done = 0, cells = 0, papers = 0;
    for (int i = 0; i < r->count; i++) {
        done += count_done(&r->tables[i]);
        papers |= meta_report_has_paper(&r->tables[i]);
        cells += r->tables[i].cell_count;
    }
    fputs(head, f);
    write_title(f, r);
    fputs(style, f);
    fputs(meta_page_css, f);
    fputs(body, f);
    write_title(f, r);
    fputs("</h1>\n", f);
    fprintf(f, "<p>%d of %d cells of %d table%s are run.</p>\n<nav>", done, cells, r->count,
            meta_plural(r->count));
    for (int i = 0; i < r->count; i++) {
        fprintf(f, "<a href=\"#table-%d\">", i + 1);
        meta_html_text(f, r->tables[i].name);
        fputs("</a>", f);
    }
    fputs("</nav>\n", f);
    fputs(method, f);
    if (papers) fputs(paper, f);
    fputs("</p>\n", f);
    for (int i = 0; i < r->count; i++)
        if (write_table(&figures, &r->tables[i], i + 1, error)) return -1;
    fputs("<section><h2>The loss</h2>\n<div class=\"figures-row\">\n", f);
    if (meta_report_difficulty(&figures, error)) return -1;
    fputs("</div></section>\n</main></body></html>\n", f);
    *lacks = figures.why;
    return 0;
}
