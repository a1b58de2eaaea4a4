/* Parses the values of a section by a table of options, with bounds, defaults and messages. */
#define _GNU_SOURCE
#include "options.h"
#include "base/c_locale.h"
#include "base/one_line.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The option that is being read, for messages. */
struct place {
    const char *path;
    const struct meta_section *section;
    const struct meta_pair *pair;
    struct meta_error *error;
};

/* Fails with the message behind "cfg/x.cfg:41: [episode] ", or for a .data file "x.data:3: ". */
static int complain(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int complain(const struct place *p, const char *format, ...)
{
    struct meta_error what;
    const char *name = p->section->name;
    va_list list;
    va_start(list, format);
    vsnprintf(what.text, sizeof what.text, format, list);
    va_end(list);
    meta_one_line(what.text);
    return meta_fail(p->error, "%s:%d: %s%s%s%s", p->path, p->pair->line, *name ? "[" : "", name,
                     *name ? "] " : "", what.text);
}

/* ---- what is allowed ------------------------------------------------------------------------- */

static int whole(const struct meta_option *o)
{
    return o->type == META_INT || o->type == META_INTS;
}

static void print_bound(char text[32], double value)
{
    snprintf(text, 32, fabs(value) < 1e15 && value == rint(value) ? "%.0f" : "%g", value);
}

/* Writes "1 to 1000", "at least 0" or "0". A bound that is an int's own is left out, unless the
   value, NaN where it is no number, lies past it. */
static void print_range(char text[96], const struct meta_option *o, double value)
{
    char least[32], most[32];
    print_bound(least, o->least);
    print_bound(most, o->most);
    if (o->least == o->most) snprintf(text, 96, "%s", least);
    else if (isinf(o->most) || (whole(o) && o->most >= INT_MAX && !(value > o->most)))
        snprintf(text, 96, "at least %s", least);
    else snprintf(text, 96, "%s to %s", least, most);
}

/* Writes "difficulty or mean", "linear, relu or leaky". */
static void print_choices(char text[256], const char *choices)
{
    size_t used = 0;
    text[0] = 0;
    while (*choices && used < 255) {
        size_t n = strcspn(choices, "|");
        const char *next = choices[n] ? choices + n + 1 : choices + n;
        const char *join = !used ? "" : *next ? ", " : " or ";
        used += (size_t)snprintf(text + used, 256 - used, "%s%.*s", join, (int)n, choices);
        choices = next;
    }
}

/* number: what the value is, or the item of a list that is wrong; NaN: none. */
static int fail_value(const struct place *p, const struct meta_option *o, double number)
{
    const char *value = p->pair->value;
    char range[96], shown[64];
    snprintf(shown, sizeof shown, strlen(value) > 50 ? "%.50s..." : "%s", value);
    if (o->type == META_CHOICE) {
        char choices[256];
        print_choices(choices, o->choices);
        return complain(p, "%s=%s: must be %s", o->name, shown, choices);
    }
    print_range(range, o, number);
    if (o->type == META_INTS || o->type == META_REALS)
        return complain(p, "%s=%s: must be %s, %s, separated by commas", o->name, shown,
                        o->type == META_INTS ? "whole numbers" : "numbers", range);
    if (isnan(number) && o->least != o->most)
        return complain(p, "%s=%s: must be a %s, %s", o->name, shown,
                        whole(o) ? "whole number" : "number", range);
    return complain(p, "%s=%s: must be %s", o->name, shown, range);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Reads all of text[0..n) as a finite decimal number; hexadecimal, "nan" and "inf" are refused.
   Returns 0 or -1. */
static int read_number(const char *text, size_t n, int integer, double *value)
{
    char *end;
    locale_t before;
    if (!n || n != strspn(text, integer ? "+-0123456789" : "+-.eE0123456789")) return -1;
    errno = 0;
    before = meta_c_locale_begin();
    *value = integer ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    meta_c_locale_end(before);
    if (end != text + n || !isfinite(*value)) return -1;
    /* an integer past a long long is past every bound too; a real too small for a double is 0 */
    return 0;
}

static int in_range(const struct meta_option *o, double value)
{
    return value >= o->least && value <= o->most;
}

static int read_list(const struct place *p, const struct meta_option *o, struct meta_list *out)
{
    const char *text = p->pair->value;
    size_t room = 1;
    for (const char *c = text; *c; c++) room += *c == ',';
    free(out->values);
    *out = (struct meta_list){ 0, malloc(room * sizeof *out->values) };
    if (!out->values) return meta_fail_memory(p->error);
    for (;;) {
        size_t n = strcspn(text, ",");
        char number[64];
        double value;
        if (n >= sizeof number) return fail_value(p, o, NAN);
        memcpy(number, text, n);
        number[n] = 0;
        if (read_number(number, n, o->type == META_INTS, &value)) return fail_value(p, o, NAN);
        if (!in_range(o, value)) return fail_value(p, o, value);
        out->values[out->count++] = value;
        if (!text[n]) return 0;
        text += n + 1;
    }
}

static int read_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && !memcmp(choices, value, n)) return i;
        if (!choices[n]) return -1;
        choices += n + 1;
    }
}

static int store(const struct place *p, const struct meta_option *o, void *settings)
{
    void *field = (char *)settings + o->offset;
    const char *text = p->pair->value;
    double value;
    int choice;
    switch (o->type) {
    case META_INT:
    case META_REAL:
        if (read_number(text, strlen(text), o->type == META_INT, &value))
            return fail_value(p, o, NAN);
        if (!in_range(o, value)) return fail_value(p, o, value);
        if (o->type == META_INT) *(int *)field = (int)value;
        else *(double *)field = value;
        return 0;
    case META_CHOICE:
        if ((choice = read_choice(o->choices, text)) < 0) return fail_value(p, o, NAN);
        *(int *)field = choice;
        return 0;
    case META_TEXT:
        if (!(*(char **)field = strdup(text))) return meta_fail_memory(p->error);
        return 0;
    case META_INTS:
    case META_REALS: return read_list(p, o, field);
    }
    return complain(p, "%s: the table gives it the unknown type %d", o->name, o->type);
}

static void set_defaults(const struct meta_option *table, void *settings)
{
    for (const struct meta_option *o = table; o->name; o++) {
        void *field = (char *)settings + o->offset;
        if (o->type == META_INT || o->type == META_CHOICE) *(int *)field = (int)o->fallback;
        else if (o->type == META_REAL) *(double *)field = o->fallback;
    }
}

/* ---- sections -------------------------------------------------------------------------------- */

/* Lists the allowed options, without those that have only one allowed value. */
static int fail_unknown(const struct place *p, const struct meta_option *table)
{
    struct meta_error names = { "" };
    size_t used = 0;
    for (const struct meta_option *o = table; o->name && used < sizeof names.text; o++)
        if (!(o->type == META_INT || o->type == META_REAL) || o->least != o->most)
            used += (size_t)snprintf(names.text + used, sizeof names.text - used, " %s", o->name);
    return complain(p, "%.40s: unknown option; allowed:%s", p->pair->key,
                    used ? names.text : " none");
}

int meta_options_parse(const struct meta_option *table, const struct meta_section *section,
                       const char *path, void *settings, struct meta_error *error)
{
    struct place p = { path, section, NULL, error };
    set_defaults(table, settings);
    for (int i = 0; i < section->count; i++) {
        const struct meta_option *o = table;
        p.pair = &section->pairs[i];
        while (o->name && strcmp(o->name, p.pair->key)) o++;
        if (!o->name) return fail_unknown(&p, table);
        for (int k = 0; k < i; k++)
            if (!strcmp(section->pairs[k].key, o->name))
                return complain(&p, "%s: repeated; first on line %d", o->name,
                                section->pairs[k].line);
        if (store(&p, o, settings)) return -1;
    }
    return 0;
}

void meta_options_clear(const struct meta_option *table, void *settings)
{
    for (const struct meta_option *o = table; o->name; o++) {
        void *field = (char *)settings + o->offset;
        if (o->type == META_TEXT) {
            free(*(char **)field);
            *(char **)field = NULL;
        } else if (o->type == META_INTS || o->type == META_REALS) {
            free(((struct meta_list *)field)->values);
            *(struct meta_list *)field = (struct meta_list){ 0 };
        }
    }
}
