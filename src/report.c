#include "command.h"
#include "file.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

int meta_command_report(int argc, char **argv)
{
    const char *out = NULL;
    const struct meta_flag flags[] = { { "-out", "FILE.html", "the page (report.html)", &out, NULL } };
    struct meta_error error;
    struct meta_report *report = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *f = NULL;
    meta_flags_parse(argc, argv, flags, 1, 1, 1, "report DIR");
    if (meta_report_read(&report, argv[0], &error)) goto fail;
    if (!(f = open_memstream(&text, &size))) { meta_fail(&error, "out of memory"); goto fail; }
    if (meta_report_page(f, report, &error)) goto fail;
    int closed = fclose(f);
    f = NULL;
    if (closed) { meta_fail(&error, "out of memory"); goto fail; }
    if (!out) out = "report.html";
    if (meta_file_write(out, &(struct meta_chunk){ text, size }, 1, &error)) goto fail;
    printf("%s: %zu bytes\n", out, size);
    free(text);
    meta_report_free(report);
    return 0;
fail:
    if (f) fclose(f);
    free(text);
    meta_report_free(report);
    return meta_complain(&error);
}
