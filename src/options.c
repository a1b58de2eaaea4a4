#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where an error stands and what it is about, as the start of a line. */
struct place { const char *path; const struct meta_section *section; const struct meta_pair *pair; struct meta_error *error; };

static int complain(const struct place *at, const char *what)
{
    const char *name = at->section->name;
    return meta_fail(at->error, "%s:%d: %s%s%s%.60s=%.60s: %s", at->path, at->pair->line, *name ? "[" : "", name, *name ? "] " : "",
                     at->pair->key, at->pair->value, what);
}

static int out_of_bounds(const struct place *at, const struct meta_option *row, const char *kind)
{
    char what[120];
    snprintf(what, sizeof what, "must be %s%.10g to %.10g", kind, row->least, row->most);
    return complain(at, what);
}

/* One number of [text, end), the whole of it. */
static int read_number(const char *text, const char *end, int whole, const struct place *at, const struct meta_option *row, double *out)
{
    const char *kind = whole ? "" : "a number, ";
    char *stop, copy[64];
    while (text < end && (*text == ' ' || *text == '\t')) text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) end--;
    if (end - text >= (long)sizeof copy || end == text) return out_of_bounds(at, row, kind);
    memcpy(copy, text, end - text);
    copy[end - text] = 0;
    if (strpbrk(copy, "xXnNiI")) return out_of_bounds(at, row, kind);     /* hexadecimal, nan, inf */
    double value = strtod(copy, &stop);
    if (*stop || !isfinite(value)) return out_of_bounds(at, row, kind);
    if (whole && value != floor(value)) return out_of_bounds(at, row, "a whole number, ");
    if (value < row->least || value > row->most) return out_of_bounds(at, row, "");
    *out = value;
    return 0;
}

static int read_list(const struct place *at, const struct meta_option *row, struct meta_list *list)
{
    const char *text = at->pair->value;
    int count = 1, k = 0;
    for (const char *p = text; *p; p++) count += *p == ',';
    list->values = calloc(count, sizeof *list->values);
    if (!list->values) return meta_fail(at->error, "out of memory");
    for (; k < count; k++) {
        const char *end = text + strcspn(text, ",");
        if (read_number(text, end, row->type == META_INTS, at, row, &list->values[k])) return -1;
        text = end + 1;
    }
    list->count = count;
    return 0;
}

static int read_choice(const struct place *at, const struct meta_option *row, int *out)
{
    const char *value = at->pair->value, *choice = row->choices;
    size_t length = strlen(value);
    for (int k = 0; choice; k++) {
        size_t n = strcspn(choice, "|");
        if (n == length && !memcmp(choice, value, n)) { *out = k; return 0; }
        choice = choice[n] ? choice + n + 1 : NULL;
    }
    char what[200];
    size_t used = snprintf(what, sizeof what, "must be ");
    for (const char *p = row->choices; *p && used + 5 < sizeof what; p++)
        used += snprintf(what + used, sizeof what - used, *p == '|' ? (strchr(p + 1, '|') ? ", " : " or ") : "%c", *p);
    return complain(at, what);
}

static int store(const struct place *at, const struct meta_option *row, void *settings)
{
    void *to = (char *)settings + row->offset;
    const char *value = at->pair->value, *end = value + strlen(value);
    double number;
    switch (row->type) {
    case META_INT:
        if (read_number(value, end, 1, at, row, &number)) return -1;
        *(int *)to = number;
        return 0;
    case META_REAL:   return read_number(value, end, 0, at, row, to);
    case META_CHOICE: return read_choice(at, row, to);
    case META_INTS:
    case META_REALS:  return read_list(at, row, to);
    case META_TEXT:
        *(char **)to = strdup(value);
        return *(char **)to ? 0 : meta_fail(at->error, "out of memory");
    }
    return meta_fail(at->error, "option %s has no such type", row->name);
}

static void set_fallback(const struct meta_option *row, void *settings)
{
    void *to = (char *)settings + row->offset;
    if (row->type == META_INT || row->type == META_CHOICE) *(int *)to = row->fallback;
    if (row->type == META_REAL) *(double *)to = row->fallback;
}

static int unknown(const struct meta_option *table, const struct place *at)
{
    char what[400];
    size_t used = snprintf(what, sizeof what, "unknown option; allowed:");
    for (; table->name && used < sizeof what; table++) used += snprintf(what + used, sizeof what - used, " %s", table->name);
    const char *name = at->section->name;
    return meta_fail(at->error, "%s:%d: %s%s%s%.60s: %s", at->path, at->pair->line, *name ? "[" : "", name, *name ? "] " : "",
                     at->pair->key, what);
}

int meta_options_parse(const struct meta_option *table, const struct meta_section *section, const char *path,
                       void *settings, struct meta_error *error)
{
    for (const struct meta_option *row = table; row->name; row++) set_fallback(row, settings);
    for (int i = 0; i < section->count; i++) {
        struct place at = { path, section, &section->pairs[i], error };
        const struct meta_option *row = table;
        while (row->name && strcmp(row->name, at.pair->key)) row++;
        if (!row->name) return unknown(table, &at);
        for (int k = 0; k < i; k++)
            if (!strcmp(section->pairs[k].key, at.pair->key)) {
                char what[80];
                snprintf(what, sizeof what, "repeated; it stands at line %d already", section->pairs[k].line);
                return complain(&at, what);
            }
        if (store(&at, row, settings)) return -1;
    }
    return 0;
}

void meta_options_clear(const struct meta_option *table, void *settings)
{
    for (const struct meta_option *row = table; row->name; row++) {
        void *at = (char *)settings + row->offset;
        if (row->type == META_TEXT) {
            free(*(char **)at);
            *(char **)at = NULL;
        }
        if (row->type == META_INTS || row->type == META_REALS) {
            free(((struct meta_list *)at)->values);
            *(struct meta_list *)at = (struct meta_list){ 0 };
        }
    }
}
