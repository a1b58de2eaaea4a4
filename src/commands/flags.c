/* How the command line of a verb is taken apart, and how a verb complains. */
#include "flags.h"
#include "base/one_line.h"
#include "backends/backends.h"
#include "base/file.h"
#include "learning/rates_file.h"
#include "network/temperature_file.h"
#include "tasks/file_id.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int meta_complain(const struct meta_error *error)
{
    struct meta_error line = *error;
    meta_one_line(line.text);
    fflush(stdout);
    fprintf(stderr, "darknet: %s\n", line.text);
    return 1;
}

static _Noreturn void leave(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void leave(const char *format, ...)
{
    struct meta_error error;
    va_list list;
    va_start(list, format);
    vsnprintf(error.text, sizeof error.text, format, list);
    va_end(list);
    exit(meta_complain(&error));
}

/* Columns of "-seed N". */
static int flag_width(const struct meta_flag *f)
{
    return (int)(strlen(f->name) + (f->value_name ? 1 + strlen(f->value_name) : 0));
}

static void print_usage(const struct meta_syntax *s)
{
    int width = (int)strlen("-h");
    for (int i = 0; i < s->count; i++)
        if (flag_width(&s->flags[i]) > width) width = flag_width(&s->flags[i]);
    printf("usage: darknet meta %s%s\n\n", s->usage, s->count ? " [flags]" : "");
    for (int i = 0; i < s->count; i++) {
        const struct meta_flag *f = &s->flags[i];
        printf("    %s%s%s", f->name, f->value_name ? " " : "", f->value_name ? f->value_name : "");
        printf("%*s%s\n", width - flag_width(f) + 2, "", f->help);
    }
    printf("    %-*s  this text\n", width, "-h");
}

static const struct meta_flag *find(const struct meta_syntax *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->flags[i].name, name)) return &s->flags[i];
    return NULL;
}

enum { MOST_FLAGS = 64 }; /* of a verb */

static _Noreturn void fail_unknown(const char *name, const struct meta_syntax *s)
{
    char names[400] = "";
    size_t used = 0;
    for (int i = 0; i < s->count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, " %s", s->flags[i].name);
    leave("%.60s: unknown flag; allowed:%s -h", name, names);
}

int meta_flags_parse(int argc, char **argv, const struct meta_syntax *s)
{
    int words = 0;
    char seen[MOST_FLAGS] = ""; /* *value says nothing of it: a default may stand there already */
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            print_usage(s);
            exit(0);
        }
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            argv[words++] = argv[i];
            continue;
        }
        const struct meta_flag *f = find(s, argv[i]);
        if (!f) fail_unknown(argv[i], s);
        if (seen[f - s->flags]++) leave("%s: given twice", f->name);
        if (f->given) *f->given = 1;
        if (!f->value_name) continue;
        if (i + 1 == argc) leave("%s: needs a value: %s %s", f->name, f->name, f->value_name);
        *f->value = argv[++i];
    }
    if (words < s->least || words > s->most)
        leave("usage: darknet meta %s%s", s->usage, s->count ? " [flags]; -h explains them" : "");
    return words;
}

long long meta_flag_int(const char *name, const char *value, long long fallback, long long least,
                        long long most)
{
    char *end, range[64];
    if (!value) return fallback;
    snprintf(range, sizeof range, most == LLONG_MAX ? "at least %lld" : "%lld to %lld", least,
             most);
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (end == value || *end || value[strspn(value, "+-0123456789")])
        leave("%s %.60s: must be a whole number, %s", name, value, range);
    if (errno || n < least || n > most) leave("%s %.60s: must be %s", name, value, range);
    return n;
}

uint64_t meta_flag_seed(const char *value, uint64_t fallback)
{
    char *end;
    if (!value) return fallback;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (end == value || *end || value[strspn(value, "+0123456789")] || errno)
        leave("-seed %.60s: must be a whole number, 0 to %llu", value, ULLONG_MAX);
    return n;
}

double meta_flag_real(const char *name, const char *value, double fallback, double least,
                      double most)
{
    if (!value) return fallback;
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || value[strspn(value, "+-.eE0123456789")] || !isfinite(x))
        leave("%s %.60s: must be a number, %g to %g", name, value, least, most);
    if (x < least || x > most) leave("%s %.60s: must be %g to %g", name, value, least, most);
    return x;
}

int meta_flag_out(const char *out, const char *const inputs[], int count, struct meta_error *error)
{
    return meta_flag_out_of("-out", out, inputs, count, error);
}

/* Fails where `out` is the file `input`. */
static int check_other(const char *flag, const char *out, const char *input,
                       struct meta_error *error)
{
    if (!meta_file_id_same(out, input)) return 0;
    return meta_fail(error, "%s %s: would be written over %s, which is read: must be another file",
                     flag, out, input);
}

int meta_flag_out_of(const char *flag, const char *out, const char *const inputs[], int count,
                     struct meta_error *error)
{
    int status = !out ? 0 : meta_file_check(out, error);
    for (int i = 0; out && i < count && !status; i++) {
        char *rates = meta_rates_path(inputs[i]);
        char *temperatures = meta_temperatures_path(inputs[i], error);
        if (!rates || !temperatures) status = meta_fail_memory(error);
        else
            status = check_other(flag, out, inputs[i], error)
                    || check_other(flag, out, rates, error)
                    || check_other(flag, out, temperatures, error)
                ? -1
                : 0;
        free(rates);
        free(temperatures);
    }
    return status;
}

const struct meta_backend *meta_flag_backend(const char *value, const char *fallback)
{
    const struct meta_backend *backend = meta_backend_find(value ? value : fallback);
    if (!backend) leave("-backend %s: must be onednn or reference", value);
    return backend;
}

const struct meta_backend *meta_flag_kernels(const struct meta_backend *backend, const char *value)
{
    const struct meta_backend *with = value ? meta_backend_kernels(backend, value) : backend;
    if (!with)
        leave(strcmp(value, "onednn") ? "-kernels %s: must be own or onednn"
                                      : "-kernels %s: must be own with -backend reference",
              value);
    return with;
}
