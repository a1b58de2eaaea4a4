/* darknet meta report: makes a page of HTML, or Markdown, of a folder of `darknet meta table`. */
#include "flags.h"
#include "base/file.h"
#include "base/text.h"
#include "own_output.h"
#include "paper/report/html_page.h"
#include "paper/report/report_data.h"
#include "paper/report/report_markdown.h"
#include "paper/report/report_page.h"
#include "usage.h"

#include <stdlib.h>
#include <string.h>

/* A page without curves is a page all the same, as a training without a chart is a training. */
static int write_page(const struct meta_report *report, const char *out, struct meta_error *error)
{
    struct meta_text text;
    struct meta_error lacks;
    if (meta_text_begin(&text, error)) return -1;
    int status = meta_report_page(text.file, report, &lacks, error);
    status = meta_text_write(&text, status, out, error);
    if (status) return -1;
    printf("%s: %zu bytes\n", out, text.size);
    if (*lacks.text) {
        meta_fail(error, "%s: is written without curves: %s", out, lacks.text);
        meta_complain(error);
    }
    return 0;
}

static int check_out(const char *out, struct meta_error *error)
{
    if (meta_file_check(out, error)) return -1;
    int own = meta_html_page_is(out, "report") || meta_html_page_is(out, NULL);
    return meta_own_output("-out", out, own, "meta report", error);
}

int meta_command_report(int argc, char **argv)
{
    const char *out = NULL, *only = NULL;
    int markdown = 0, status = 0;
    const struct meta_flag flags[] = {
        { "-out", "FILE.html", "the page (report.html)", &out, NULL },
        { "-only", "TABLE", "one table, by its name or that of its file", &only, NULL },
        { "-markdown", NULL, "print the tables of figures as Markdown, and write no page", NULL,
          &markdown },
    };
    struct meta_error error;
    struct meta_report *report = NULL;
    const struct meta_syntax syntax = { "report DIR", 1, 1, flags, sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    if (markdown && out) {
        meta_fail(&error, "report: -markdown writes no page: it takes no -out");
        return meta_complain(&error);
    }
    if (!out) out = "report.html";
    status = markdown ? 0 : check_out(out, &error);
    if (!status) status = meta_report_read(&report, argv[0], only, &error);
    if (!status && markdown) status = meta_report_markdown(stdout, report, &error);
    else if (!status) status = write_page(report, out, &error);
    meta_report_free(report);
    return status ? meta_complain(&error) : 0;
}
