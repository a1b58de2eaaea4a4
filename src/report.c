#include "command.h"
#include "file.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

static int write_page(const struct meta_report *report, const char *out, struct meta_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return meta_fail(error, "out of memory");
    int status = meta_report_page(f, report, error);
    if (fclose(f) && !status) status = meta_fail(error, "out of memory");
    if (!status) status = meta_file_write(out, &(struct meta_chunk){ text, size }, 1, error);
    if (!status) printf("%s: %zu bytes\n", out, size);
    free(text);
    return status;
}

int meta_command_report(int argc, char **argv)
{
    const char *out = NULL;
    int markdown = 0, status = 0;
    const struct meta_flag flags[] = {
        { "-out", "FILE.html", "the page (report.html)", &out, NULL },
        { "-markdown", NULL, "print the tables of figures as Markdown, and write no page", NULL, &markdown },
    };
    struct meta_error error;
    struct meta_report *report = NULL;
    meta_flags_parse(argc, argv, flags, sizeof flags / sizeof *flags, 1, 1, "report DIR");
    if (markdown && out) {
        meta_fail(&error, "report: -markdown writes no page: it takes no -out");
        return meta_complain(&error);
    }
    status = meta_report_read(&report, argv[0], &error);
    if (!status && markdown) status = meta_report_markdown(stdout, report, &error);
    else if (!status) status = write_page(report, out ? out : "report.html", &error);
    meta_report_free(report);
    return status ? meta_complain(&error) : 0;
}
