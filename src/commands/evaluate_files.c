/* Looks after the files that `meta evaluate` writes, and writes them. */
#include "evaluate_files.h"
#include "base/path.h"
#include "base/text.h"
#include "evaluate_print.h"
#include "flags.h"
#include "own_output.h"
#include "paper/report/evaluation_page.h"

#include <stdio.h>

enum { FILES = 3 };

static const char *const flags[FILES] = { "-csv", "-json", "-html" };

int meta_evaluate_files_apart(const struct meta_evaluate_files *f, const char *const read[],
                              int count, struct meta_error *error)
{
    const char *const paths[FILES] = { f->csv, f->json, f->html };
    for (int i = 0; i < FILES; i++)
        for (int k = 0; k < count; k++)
            if (read[k] && meta_flag_out_of(flags[i], paths[i], &read[k], 1, error)) return -1;
    return 0;
}

int meta_evaluate_files_check(const struct meta_evaluate_files *f, struct meta_error *error)
{
    const char *const paths[FILES] = { f->csv, f->json, f->html };
    const int own[FILES] = { meta_evaluate_csv_is(f->csv), meta_evaluate_json_is(f->json),
                             meta_evaluation_page_is(f->html) };
    for (int i = 0; i < FILES; i++) {
        if (meta_own_output(flags[i], paths[i], own[i], "meta evaluate", error)) return -1;
        for (int k = 0; k < i; k++)
            if (paths[i] && paths[k] && meta_path_same(paths[i], paths[k]))
                return meta_fail(error, "%s: must be one of -csv, -json and -html", paths[i]);
    }
    return 0;
}

static int write_page(const char *path, const struct meta_assessment_report *report,
                      struct meta_error *error)
{
    struct meta_text text;
    struct meta_error lacks;
    if (meta_text_begin(&text, error)) return -1;
    int status = meta_evaluation_page(text.file, report, &lacks, error);
    if (meta_text_write(&text, status, path, error)) return -1;
    if (*lacks.text)
        fprintf(stderr, "darknet: %s: is written without curves: %s\n", path, lacks.text);
    return 0;
}

int meta_evaluate_files_write(const struct meta_evaluate_files *f,
                              const struct meta_assessment_report *report, struct meta_error *error)
{
    return (f->csv && meta_evaluate_csv(f->csv, report, error))
            || (f->json && meta_evaluate_json(f->json, report, error))
            || (f->html && write_page(f->html, report, error))
        ? -1
        : 0;
}
