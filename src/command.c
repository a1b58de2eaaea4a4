#include "command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int meta_complain(const struct meta_error *error)
{
    fflush(stdout);
    fprintf(stderr, "darknet: %s\n", error->text);
    return 1;
}

/* A mistake in the words of the command line. */
__attribute__((noreturn, format(printf, 1, 2)))
static void refuse(const char *format, ...)
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
    printf("usage: darknet meta %s", usage);
    for (int i = 0; i < count; i++)
        printf(" [%s%s%s]", flags[i].name, flags[i].value_name ? " " : "", flags[i].value_name ? flags[i].value_name : "");
    printf("\n");
    for (int i = 0; i < count; i++) {
        char head[64];
        snprintf(head, sizeof head, "%s %s", flags[i].name, flags[i].value_name ? flags[i].value_name : "");
        printf("  %-20s %s\n", head, flags[i].help);
    }
}

static const struct meta_flag *find_flag(const struct meta_flag *flags, int count, const char *word, const char *usage)
{
    char known[400] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++)
        if (!strcmp(flags[i].name, word)) return &flags[i];
    for (int i = 0; i < count && used < sizeof known; i++) used += snprintf(known + used, sizeof known - used, " %s", flags[i].name);
    refuse("%.60s: meta %.*s has no such flag; allowed:%s", word, (int)strcspn(usage, " "), usage, known);
}

int meta_flags_parse(int argc, char **argv, const struct meta_flag *flags, int count, int least, int most, const char *usage)
{
    int words = 0;
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            print_usage(flags, count, usage);
            exit(0);
        }
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            argv[words++] = argv[i];
            continue;
        }
        const struct meta_flag *flag = find_flag(flags, count, argv[i], usage);
        if (flag->value_name ? *flag->value != NULL : *flag->given) refuse("%s: given twice", flag->name);
        if (!flag->value_name) *flag->given = 1;
        else if (i + 1 < argc) *flag->value = argv[++i];
        else refuse("%s: must be followed by %s", flag->name, flag->value_name);
    }
    if (words < least || words > most) refuse("usage: darknet meta %s (-h says more)", usage);
    return words;
}

long long meta_flag_int(const char *name, const char *value, long long fallback, long long least, long long most)
{
    char *end;
    if (!value) return fallback;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno || end == value || *end || number < least || number > most)
        refuse("%s %.60s: must be %lld to %lld", name, value, least, most);
    return number;
}

double meta_flag_real(const char *name, const char *value, double fallback, double least, double most)
{
    char *end;
    if (!value) return fallback;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || number < least || number > most)
        refuse("%s %.60s: must be a number, %g to %g", name, value, least, most);
    return number;
}
