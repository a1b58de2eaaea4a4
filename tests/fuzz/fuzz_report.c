/* Folders of `meta table`, as meta report reads and shows them: a plan, a result, the log of a training. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "paper/report/report_data.h"
#include "paper/report/report_markdown.h"
#include "paper/report/report_page.h"
#include <sys/stat.h>

static struct meta_error error;

/* No gnuplot: what it would be given is computed all the same. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    setenv("PATH", "/nonexistent", 1);
    return mkdir("out", 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_report *report;
    struct meta_error lacks;
    fuzz_write_part("out/a.json", &data, &size);
    fuzz_write_part("out/r.json", &data, &size);
    fuzz_write_part("out/log.csv", &data, &size);
    if (meta_report_read(&report, "out", NULL, &error)) return 0;
    FILE *nowhere = fopen("/dev/null", "w");
    meta_report_markdown(nowhere, report, &error);
    meta_report_page(nowhere, report, &lacks, &error);
    fclose(nowhere);
    meta_report_free(report);
    return 0;
}
