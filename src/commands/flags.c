#include "flags.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int meta_complain(const struct meta_error *error)
{
    fflush(stdout);
    fprintf(stderr, "darknet: %s\n", error->text);
    return 1;
}

void meta_tell_groups(const struct meta_data *data, const struct meta_dataset *set)
{
    int none = meta_dataset_groupless(set);
    if (data->groups && none)
        printf("%s: %d of the %d images are in no group of %s: each counts as unlike any other\n", set->list, none, set->count, data->groups);
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

static void print_usage(const struct meta_flag *flags, int count, const char *usage)
{
    int width = (int)strlen("-h");
    for (int i = 0; i < count; i++) {
        int n = (int)strlen(flags[i].name) + (flags[i].value_name ? 1 + (int)strlen(flags[i].value_name) : 0);
        if (n > width) width = n;
    }
    printf("usage: darknet meta %s%s\n\n", usage, count ? " [flags]" : "");
    for (int i = 0; i < count; i++) {
        const struct meta_flag *f = &flags[i];
        int n = printf("    %s%s%s", f->name, f->value_name ? " " : "", f->value_name ? f->value_name : "");
        printf("%*s%s\n", 4 + width - n + 2, "", f->help);
    }
    printf("    %-*s  this text\n", width, "-h");
}

static const struct meta_flag *find(const struct meta_flag *flags, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(flags[i].name, name)) return &flags[i];
    return NULL;
}

static _Noreturn void fail_unknown(const char *name, const struct meta_flag *flags, int count)
{
    char names[400] = "";
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof names; i++) used += snprintf(names + used, sizeof names - used, " %s", flags[i].name);
    leave("%.60s: unknown flag; allowed:%s -h", name, names);
}

int meta_flags_parse(int argc, char **argv, const struct meta_flag *flags, int count, int least, int most, const char *usage)
{
    int words = 0;
    char seen[count + 1];      /* a default may stand in *value already */
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            print_usage(flags, count, usage);
            exit(0);
        }
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) { argv[words++] = argv[i]; continue; }
        const struct meta_flag *f = find(flags, count, argv[i]);
        if (!f) fail_unknown(argv[i], flags, count);
        if (seen[f - flags]++) leave("%s: given twice", f->name);
        if (f->given) *f->given = 1;
        if (!f->value_name) continue;
        if (i + 1 == argc) leave("%s: needs a value: %s %s", f->name, f->name, f->value_name);
        *f->value = argv[++i];
    }
    if (words < least || words > most) leave("usage: darknet meta %s%s", usage, count ? " [flags]; -h explains them" : "");
    return words;
}

long long meta_flag_int(const char *name, const char *value, long long fallback, long long least, long long most)
{
    char *end, range[64];
    if (!value) return fallback;
    snprintf(range, sizeof range, most == LLONG_MAX ? "at least %lld" : "%lld to %lld", least, most);
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (end == value || *end || value[strspn(value, "+-0123456789")]) leave("%s %.60s: must be a whole number, %s", name, value, range);
    if (errno || n < least || n > most) leave("%s %.60s: must be %s", name, value, range);
    return n;
}

double meta_flag_real(const char *name, const char *value, double fallback, double least, double most)
{
    if (!value) return fallback;
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || value[strspn(value, "+-.eE0123456789")] || !isfinite(x))
        leave("%s %.60s: must be a number, %g to %g", name, value, least, most);
    if (x < least || x > most) leave("%s %.60s: must be %g to %g", name, value, least, most);
    return x;
}

const struct meta_backend *meta_flag_backend(const char *value, const char *fallback)
{
    const struct meta_backend *backend = meta_backend_find(value ? value : fallback);
    if (!backend) leave("-backend %s: must be onednn or reference", value);
    return backend;
}
