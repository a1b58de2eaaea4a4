/* Reads CSV in place, record by record, and writes its fields. */
#include "csv.h"

#include <string.h>
#include <strings.h>

/* Whether a line ends with this byte: of CR and LF the last, or one alone. */
static int is_end(const char *at) { return *at == '\n' || (*at == '\r' && at[1] != '\n'); }

static const char *skip_blanks(const char *s, char separator)
{
    while (*s == ' ' || (*s == '\t' && separator != '\t')) s++;
    return s;
}

/* Whether `c` stands in the first `n` bytes outside of quotes. */
static int has(const char *s, size_t n, char c)
{
    int quoted = 0;
    for (size_t i = 0; i < n; i++) {
        quoted ^= s[i] == '"';
        if (!quoted && s[i] == c) return 1;
    }
    return 0;
}

/* Spreadsheets write "sep=;" as a first line. */
static int take_directive(struct meta_csv *csv)
{
    const char *s = csv->at;
    if (strncasecmp(s, "sep=", 4) != 0 || !s[4] || !strchr(",;\t", s[4])) return 0;
    size_t end = 5 + strspn(s + 5, " ");
    if (s[end] == '\r' && s[end + 1] == '\n') end++;
    if (!is_end(s + end)) return 0;
    csv->separator = s[4];
    csv->at += end + 1;
    csv->line++;
    return 1;
}

struct meta_csv meta_csv_start(const char *path, char *start, const char *header)
{
    struct meta_csv csv = { path, start, 1, ',' };
    if (take_directive(&csv)) return csv;
    const char *s = start + strspn(start, " \t\r\n");
    size_t line = strcspn(s, "\r\n"), n = strlen(header);
    int quoted = *s == '"', named = !strncasecmp(s + quoted, header, n);
    if (named && quoted) named = s[1 + n] == '"';
    const char *behind = named ? skip_blanks(s + n + 2 * quoted, '\t') : "";
    if (*behind == ';' || *behind == '\t') csv.separator = *behind;
    else if (*behind != ',' && !has(s, line, ',')) csv.separator = has(s, line, ';') ? ';' : '\t';
    return csv;
}

/* Takes the quotes off the field at `from`, which begins with one, and writes it to `to`. Returns
   what stands behind it. */
static char *unquote(struct meta_csv *csv, char *from, char *to, struct meta_error *error)
{
    int begun = csv->line;
    for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
        from += *from == '"';
        csv->line += is_end(from);
        *to++ = *from;
    }
    if (!*from) {
        meta_fail(error, "%s:%d: has a quotation mark that is never closed", csv->path, begun);
        return NULL;
    }
    from = (char *)skip_blanks(from + 1, csv->separator);
    *to = 0;
    if (*from && *from != csv->separator && *from != '\n' && *from != '\r') {
        meta_fail(error,
                  "%s:%d: has text behind a closing quotation mark: must be a field's end, and a "
                  "quotation mark inside a field two",
                  csv->path, csv->line);
        return NULL;
    }
    return from;
}

/* Cuts off the field at *at and returns it; *at is what stands behind it. NULL: it is none. */
static char *cut_field(struct meta_csv *csv, char **at, char *ended, struct meta_error *error)
{
    char *field = (char *)skip_blanks(*at, csv->separator), *end;
    if (*field == '"') {
        if (!(end = unquote(csv, field, field, error))) return NULL;
        *ended = *end;
        *at = end + (*end != 0);
        return field;
    }
    const char ends[] = { csv->separator, '\r', '\n', 0 };
    end = field + strcspn(field, ends);
    *ended = *end;
    *at = end + (*end != 0);
    while (end > field && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *end = 0;
    return field;
}

/* What stands behind the blanks and empty fields here, of which spreadsheets leave lines below a
   table. */
static char *skip_empty(const struct meta_csv *csv)
{
    const char empty[] = { ' ', '\t', csv->separator, 0 };
    return csv->at + strspn(csv->at, empty);
}

int meta_csv_next(struct meta_csv *csv, char **field, int most, int *count, int *line,
                  struct meta_error *error)
{
    char ended = csv->separator;
    *count = 0;
    for (char *end; *(end = skip_empty(csv)) == '\n' || *end == '\r'; csv->at = end + 1)
        csv->line += is_end(end);
    *line = csv->line;
    if (!*skip_empty(csv)) return 0;
    while (ended == csv->separator) {
        char *one = cut_field(csv, &csv->at, &ended, error);
        if (!one) return -1;
        if (*count < most) field[*count] = one;
        ++*count;
    }
    csv->line += ended == '\n' || (ended == '\r' && *csv->at != '\n');
    return 0;
}

void meta_csv_write_field(FILE *f, const char *text)
{
    size_t n = strlen(text);
    if (!strpbrk(text, ",;\"\t\r\n") && *text != ' ' && (!n || text[n - 1] != ' ')) {
        fputs(text, f);
        return;
    }
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"') putc('"', f);
        putc(*text, f);
    }
    putc('"', f);
}
