/* Cuts .cfg, .data and .table files into sections of key = value. */
#include "cfg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"

/* The characters of a line that a message shows. */
#define SHOWN 40

struct reader {
    const char *path;
    int line;
    int data;  /* 1: a .data file, which has no sections */
    int texts; /* 1: blanks inside a value belong to it */
    struct meta_cfg *cfg;
    struct meta_error *error;
};

/* Writes a line of any bytes into `text` as a short printable text. */
static const char *shown(const char *line, char text[SHOWN + 4])
{
    size_t n = 0;
    for (; n < SHOWN && line[n]; n++) text[n] = isprint((unsigned char)line[n]) ? line[n] : '?';
    strcpy(text + n, line[n] ? "..." : "");
    return text;
}

static int blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

/* Cuts the comment off. Where values are texts, a path may have a # or ; in it: a comment follows a
   blank. */
static void cut_comment(const struct reader *r, char *line)
{
    for (char *p = line; *p; p++)
        if ((*p == '#' || *p == ';') && (!r->texts || p == line || blank(p[-1]))) {
            *p = 0;
            return;
        }
}

/* Refuses a value with a blank inside an item, such as "5 7": without its blank it would be another
   number. Blanks around commas are fine. */
static int check_blanks(const struct reader *r, const char *line)
{
    char text[SHOWN + 4];
    const char *value = strchr(line, '=');
    char before = ',';
    for (const char *p = value ? value + 1 : ""; *p; p++) {
        if (blank(*p)) continue;
        if (p > value + 1 && blank(p[-1]) && before != ',' && *p != ',')
            return meta_fail(r->error,
                             "%s:%d: '%s': has a blank inside a value: must have commas between "
                             "values",
                             r->path, r->line, shown(line, text));
        before = *p;
    }
    return 0;
}

/* Removes all blanks, also those inside, as Darknet's strip() does. */
static void squeeze(char *text)
{
    char *to = text;
    for (; *text; text++)
        if (!blank(*text)) *to++ = *text;
    *to = 0;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (blank(*text)) text++;
    while (end > text && blank(end[-1])) *--end = 0;
    return text;
}

static int fail_memory(const struct reader *r) { return meta_fail_memory_for(r->error, r->path); }

/* Makes room for one more item; arrays grow at powers of two. */
static int grow(const struct reader *r, void **items, int count, size_t size)
{
    if (count & (count - 1)) return 0;
    void *grown = realloc(*items, (count ? 2 * (size_t)count : 1) * size);
    if (!grown) return fail_memory(r);
    *items = grown;
    return 0;
}

static int add_section(struct reader *r, const char *name)
{
    struct meta_cfg *cfg = r->cfg;
    if (grow(r, (void **)&cfg->sections, cfg->count, sizeof *cfg->sections)) return -1;
    struct meta_section *section = &cfg->sections[cfg->count];
    *section = (struct meta_section){ .name = strdup(name), .line = r->line };
    if (!section->name) return fail_memory(r);
    cfg->count++;
    return 0;
}

static int read_header(struct reader *r, char *line)
{
    char text[SHOWN + 4];
    size_t n = strlen(line);
    int printable = 1;
    for (size_t i = 0; i < n; i++) printable &= isprint((unsigned char)line[i]) != 0;
    if (n < 3 || strcspn(line + 1, "[]") != n - 2 || line[n - 1] != ']' || !printable)
        return meta_fail(r->error, "%s:%d: '%s': must be [section]", r->path, r->line,
                         shown(line, text));
    line[n - 1] = 0;
    return add_section(r, line + 1);
}

static int read_pair(struct reader *r, char *line)
{
    char text[SHOWN + 4], *equals = strchr(line, '=');
    struct meta_cfg *cfg = r->cfg;
    if (!equals || equals == line)
        return meta_fail(r->error, "%s:%d: '%s': must be %skey=value or a comment", r->path,
                         r->line, shown(line, text), r->data ? "" : "[section], ");
    *equals = 0;
    char *key = trim(line), *value = trim(equals + 1);
    if (!*value)
        return meta_fail(r->error, "%s:%d: %s: has no value", r->path, r->line, shown(key, text));
    if (!cfg->count)
        return meta_fail(r->error, "%s:%d: %s: stands before the first section: must be inside one",
                         r->path, r->line, shown(key, text));
    struct meta_section *section = &cfg->sections[cfg->count - 1];
    if (grow(r, (void **)&section->pairs, section->count, sizeof *section->pairs)) return -1;
    struct meta_pair *pair = &section->pairs[section->count];
    *pair = (struct meta_pair){ strdup(key), strdup(value), r->line };
    if (!pair->key || !pair->value) {
        free(pair->key);
        free(pair->value);
        return fail_memory(r);
    }
    section->count++;
    return 0;
}

static int read_line(struct reader *r, char *line)
{
    cut_comment(r, line);
    if (r->texts) line = trim(line);
    else if (check_blanks(r, line)) return -1;
    else squeeze(line);
    if (!*line) return 0;
    if (*line == '[' && !r->data) return read_header(r, line);
    return read_pair(r, line);
}

static int read_file(struct meta_cfg **out, const char *path, int data, int texts,
                     struct meta_error *error)
{
    struct reader r = { .path = path, .data = data, .texts = texts, .error = error };
    char *bytes = NULL, *line;
    if (meta_lines_text(path, &bytes, &line, error)) return -1;
    r.cfg = calloc(1, sizeof *r.cfg);
    if (!r.cfg || !(r.cfg->path = strdup(path))) {
        fail_memory(&r);
        goto fail;
    }
    if (data && add_section(&r, "")) goto fail;
    while (line) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        r.line++;
        if (read_line(&r, line)) goto fail;
        line = end ? end + 1 : NULL;
    }
    free(bytes);
    *out = r.cfg;
    return 0;
fail:
    free(bytes);
    meta_cfg_free(r.cfg);
    return -1;
}

int meta_cfg_read(struct meta_cfg **out, const char *path, struct meta_error *error)
{
    return read_file(out, path, 0, 0, error);
}

int meta_data_file_read(struct meta_cfg **out, const char *path, struct meta_error *error)
{
    return read_file(out, path, 1, 1, error);
}

int meta_table_file_read(struct meta_cfg **out, const char *path, struct meta_error *error)
{
    return read_file(out, path, 0, 1, error);
}

void meta_cfg_free(struct meta_cfg *cfg)
{
    if (!cfg) return;
    for (int i = 0; i < cfg->count; i++) {
        for (int k = 0; k < cfg->sections[i].count; k++) {
            free(cfg->sections[i].pairs[k].key);
            free(cfg->sections[i].pairs[k].value);
        }
        free(cfg->sections[i].pairs);
        free(cfg->sections[i].name);
    }
    free(cfg->sections);
    free(cfg->path);
    free(cfg);
}

/* The option that a message begins with, as "padding=2: must be..." does; NULL: with none of the
   section's. */
static const struct meta_pair *blamed(const struct meta_section *s, const char *message)
{
    size_t length = strcspn(message, "=: ");
    for (int i = 0; i < s->count; i++)
        if (message[length] != ' ' && strlen(s->pairs[i].key) == length
            && !strncmp(s->pairs[i].key, message, length))
            return &s->pairs[i];
    return NULL;
}

int meta_section_blame(const struct meta_section *s, const char *path, struct meta_error *error)
{
    struct meta_error what = *error;
    const struct meta_pair *pair = blamed(s, what.text);
    return meta_fail(error, "%s:%d: [%.40s]%s %s", path, pair ? pair->line : s->line, s->name,
                     pair ? "" : ":", what.text);
}
