/* darknet meta doctor: looks at everything that a training needs, says of each whether it is well
   and how to mend it, and ends with 1 when something is wrong. */
#include "tools/doctor/doctor.h"

#include "base/file.h"
#include "base/plural.h"
#include "base/pool.h"
#include "flags.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "warning  gnuplot    not found: ..." */
static void print_finding(void *context, enum meta_verdict verdict, const char *subject,
                          const char *format, va_list arguments)
{
    static const char *const names[] = { "ok", "warning", "wrong" };
    printf("%-8s %-11s ", names[verdict], subject);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
}

static void print_summary(const struct meta_doctor *d)
{
    int wrong = d->count[META_WRONG], warnings = d->count[META_WARNING];
    printf("\n%d wrong, %d warning%s", wrong, warnings, meta_plural(warnings));
    if (!wrong) puts(": darknet meta train can begin");
    else if (d->model && d->data) putchar('\n');
    else puts(": mend the files first: the rest can't be looked at without them");
}

/* Groups are often made by hand: a file that is there stays. */
static int check_new(const char *path, struct meta_error *error)
{
    return access(path, F_OK)
        ? 0
        : meta_fail(error, "-merge %s: is there already: name a new file", path);
}

int meta_command_doctor(int argc, char **argv)
{
    const char *threads = NULL, *seconds = NULL, *merge = NULL;
    const struct meta_flag flags[] = {
        { "-threads", "N", "of the run that is to be (the cores)", &threads, NULL },
        { "-seconds", "S", "for which iterations are timed, of each order (10)", &seconds, NULL },
        { "-merge", "FILE.csv",
          "writes groups with images that seem to show one and the same in one", &merge, NULL },
    };
    struct meta_doctor d = { .print = print_finding };
    struct meta_error error;
    const struct meta_syntax syntax = { "doctor DATA CFG", 2, 2, flags,
                                        sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    d.merge = merge;
    if (merge && (check_new(merge, &error) || meta_file_check(merge, &error)))
        return meta_complain(&error);
    d.data_path = argv[0];
    d.cfg_path = argv[1];
    d.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    d.seconds = meta_flag_real("-seconds", seconds, 10, 1e-3, 1e5);
    if (getloadavg(&d.load, 1) < 1) d.load = 0;
    int failed = meta_doctor_examine(&d, &error);
    if (!failed) print_summary(&d);
    meta_doctor_clear(&d);
    return failed ? meta_complain(&error) : d.count[META_WRONG] > 0;
}
