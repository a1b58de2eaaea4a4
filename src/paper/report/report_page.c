#include "report.h"
#include "base/plural.h"

#include <string.h>

void meta_html_text(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", f); break;
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\'': fputs("&#39;", f); break;
        default: fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
        }
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Few-shot diagnosis of rare diseases: results</title>\n<style>\n"
    ":root{--ink:#1c2126;--soft:#5a636d;--page:#fff;--card:#f5f6f8;--rule:#d5d9de;--grid:#d9dde2;--good:#1d7a43;--bad:#b3372f}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4e7ea;--soft:#9ba4ae;--page:#14181c;--card:#1d2328;--rule:#353d45;--grid:#3a434c;"
    "--good:#5fc98a;--bad:#f08a80}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
    "main{max-width:72rem;margin:0 auto;padding:1.2rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0 .6rem}h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--rule)}\n"
    "h3{font-size:1.05rem;margin:1.8rem 0 .4rem}p{max-width:48rem}nav a{margin-right:1.2rem}a{color:inherit}\n"
    ".wide{overflow-x:auto;margin:.6rem 0}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.94rem}\n"
    "caption{text-align:left;color:var(--soft);font-size:.88rem;padding-bottom:.4rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--rule)}th{font-weight:600}\n"
    "small{color:var(--soft);font-size:.82rem}.interval{color:var(--soft);font-size:.86em;white-space:nowrap}\n"
    ".none{color:var(--soft);font-style:italic}.better b,.better small{color:var(--good)}.worse b,.worse small{color:var(--bad)}\n"
    ".figures-row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem;margin:1rem 0}\n"
    "figure{margin:0;padding:.7rem .8rem;background:var(--card);border-radius:.5rem;min-width:0;max-width:42rem}\n"
    "figcaption{font-size:.9rem;font-weight:600;margin-bottom:.3rem}\n"
    "svg{display:block;width:100%;height:auto;color:var(--ink)}\n"
    "svg [fill=\"black\"]{fill:var(--ink)}svg [stroke=\"black\"]{stroke:var(--ink)}svg [color=\"black\"]{color:var(--ink)}\n"
    "svg .gridline{stroke:var(--grid)}\n"
    ".key{list-style:none;margin:.3rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.84rem}\n"
    ".key i{display:inline-block;width:1.4rem;border-top:.2rem solid;vertical-align:middle;margin-right:.4rem}.key .dashed{border-top-style:dashed}\n"
    "details{margin:.8rem 0}summary{cursor:pointer;font-weight:600}\n"
    "@media (max-width:40rem){table,tbody,tr,th,td{display:block}thead{display:none}caption{display:block}\n"
    "tr{background:var(--card);border-radius:.5rem;padding:.5rem .7rem;margin:.5rem 0}th,td{border:0;padding:.15rem 0}\n"
    "td[data-column]::before{content:attr(data-column) \": \";color:var(--soft);font-style:normal;font-size:.86rem}.empty{display:none}}\n"
    "@media print{:root{--ink:#000;--soft:#444;--page:#fff;--card:#fff;--rule:#bbb;--grid:#ccc;--good:#145c31;--bad:#8f241d}\n"
    "body{font-size:10pt}main{max-width:none;padding:0}nav{display:none}figure,tr{break-inside:avoid}h2,h3{break-after:avoid}\n"
    "figure{border:1px solid var(--rule)}.wide{overflow:visible}}\n"
    "</style></head>\n<body><main>\n<h1>Few-shot diagnosis of rare diseases: results</h1>\n";

static const char method[] =
    "<p>Each figure is the area under the ROC curve of a method that sees so many images (shots) of each of two rare classes, averaged over "
    "random tasks; all methods of a table are tested on the same tasks. Intervals are of the mean over tasks: they say how well the tasks "
    "tell this one training, not how trainings differ. Tasks draw again and again from the same few images: where it says <i>other groups</i>, the "
    "interval is of tasks whose query images, in their groups (such as lesions), were drawn anew as well. The paper (Li et al., MICCAI 2020) gives means over as many tasks as our first, without "
    "an interval: beside ours its figure is given the error that so many of our tasks have.</p>\n";

static int count_done(const struct meta_report_table *t)
{
    int done = 0;
    for (int i = 0; i < t->cell_count; i++) done += t->cells[i].result != NULL;
    return done;
}

static int write_table(FILE *f, const struct meta_report_table *t, int number, struct meta_error *error)
{
    fprintf(f, "<section id=\"table-%d\"><h2>", number);
    meta_html_text(f, t->name);
    fprintf(f, "</h2>\n<p>%d of %d cells are run. Each is tested on %d tasks.", count_done(t), t->cell_count, t->runs);
    if (*t->needs) {
        fputs(" Its data were not there: it needs ", f);
        meta_html_text(f, t->needs);
        fputc('.', f);
    }
    fputs("</p>\n", f);
    meta_report_figures_table(f, t);
    meta_report_differences(f, t);
    if (meta_report_trainings(f, t, error)) return -1;
    fputs("<div class=\"figures-row\">\n", f);
    if (meta_report_roc(f, t, error) || meta_report_curves(f, t, error) || meta_report_finetuning(f, t, error)) return -1;
    fputs("</div>\n", f);
    meta_report_pairs(f, t);
    meta_report_costs(f, t);
    meta_report_settings(f, t);
    fputs("</section>\n", f);
    return 0;
}

int meta_report_page(FILE *f, const struct meta_report *r, struct meta_error *error)
{
    int done = 0, cells = 0;
    for (int i = 0; i < r->count; i++) {
        done += count_done(&r->tables[i]);
        cells += r->tables[i].cell_count;
    }
    fputs(head, f);
    fprintf(f, "<p>%d of %d cells of %d table%s are run.</p>\n<nav>", done, cells, r->count, meta_plural(r->count));
    for (int i = 0; i < r->count; i++) {
        fprintf(f, "<a href=\"#table-%d\">", i + 1);
        meta_html_text(f, r->tables[i].name);
        fputs("</a>", f);
    }
    fputs("</nav>\n", f);
    fputs(method, f);
    for (int i = 0; i < r->count; i++)
        if (write_table(f, &r->tables[i], i + 1, error)) return -1;
    fputs("<section><h2>The loss</h2>\n<div class=\"figures-row\">\n", f);
    if (meta_report_difficulty(f, error)) return -1;
    fputs("</div></section>\n</main></body></html>\n", f);
    return 0;
}
