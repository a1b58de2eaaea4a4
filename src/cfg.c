#include "cfg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"

static char *trim(char *s)
{
    while (isspace((unsigned char)*s)) s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1])) end--;
    *end = 0;
    return s;
}

/* Cuts a comment: a '#' or ';' that begins the line or follows a blank, so that paths may hold one. */
static void cut_comment(char *s)
{
    for (char *p = s; *p; p++)
        if ((*p == '#' || *p == ';') && (p == s || isspace((unsigned char)p[-1]))) {
            *p = 0;
            return;
        }
}

static struct meta_section *open_section(struct meta_cfg *cfg, const char *name, int line)
{
    struct meta_section *grown = realloc(cfg->sections, (cfg->count + 1) * sizeof *grown);
    if (!grown) return NULL;
    cfg->sections = grown;
    grown[cfg->count] = (struct meta_section){ strdup(name), line, 0, NULL };
    return grown[cfg->count].name ? &grown[cfg->count++] : NULL;
}

static int add_pair(struct meta_section *section, const char *key, const char *value, int line)
{
    struct meta_pair *grown = realloc(section->pairs, (section->count + 1) * sizeof *grown);
    if (!grown) return -1;
    section->pairs = grown;
    struct meta_pair pair = { strdup(key), strdup(value), line };
    if (!pair.key || !pair.value) {
        free(pair.key);
        free(pair.value);
        return -1;
    }
    grown[section->count++] = pair;
    return 0;
}

/* One line, without its comment; quotes at most some of it in the error. */
static int read_line(struct meta_cfg *cfg, char *text, int line, int sections, struct meta_error *error)
{
    size_t length = strlen(text);
    if (!length) return 0;
    if (sections && *text == '[') {
        if (text[length - 1] != ']' || length < 3)
            return meta_fail(error, "%s:%d: \"%.60s\": a section must be [name]", cfg->path, line, text);
        text[length - 1] = 0;
        return open_section(cfg, trim(text + 1), line) ? 0 : meta_fail(error, "out of memory");
    }
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return meta_fail(error, "%s:%d: \"%.60s\": must be %skey=value", cfg->path, line, text, sections ? "[section] or " : "");
    if (!cfg->count) return meta_fail(error, "%s:%d: \"%.60s\" stands before the first [section]", cfg->path, line, text);
    *equals = 0;
    char *key = trim(text), *value = trim(equals + 1);
    if (!*value) return meta_fail(error, "%s:%d: %.60s= has no value", cfg->path, line, key);
    return add_pair(&cfg->sections[cfg->count - 1], key, value, line) ? meta_fail(error, "out of memory") : 0;
}

static int read_text(struct meta_cfg **out, const char *path, int sections, struct meta_error *error)
{
    char *data = NULL;
    size_t size = 0;
    int line = 0;
    if (meta_file_read(path, &data, &size, error)) return -1;
    struct meta_cfg *cfg = calloc(1, sizeof *cfg);
    if (!cfg || !(cfg->path = strdup(path)) || (!sections && !open_section(cfg, "", 0))) {
        meta_fail(error, "out of memory");
        goto fail;
    }
    char *at = data, *end = data + size;
    if (size >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) at += 3;    /* a byte-order mark */
    while (at < end) {
        char *stop = memchr(at, '\n', end - at);
        if (!stop) stop = end;
        line++;
        if (memchr(at, 0, stop - at)) {
            meta_fail(error, "%s:%d: a zero byte: must be a text file", path, line);
            goto fail;
        }
        *stop = 0;
        cut_comment(at);
        if (read_line(cfg, trim(at), line, sections, error)) goto fail;
        at = stop + 1;
    }
    if (sections && !cfg->count) {
        meta_fail(error, "%s:1: no [section] in it: must begin with [net]", path);
        goto fail;
    }
    free(data);
    *out = cfg;
    return 0;
fail:
    free(data);
    meta_cfg_free(cfg);
    return -1;
}

int meta_cfg_read(struct meta_cfg **out, const char *path, struct meta_error *error)
{
    return read_text(out, path, 1, error);
}

int meta_data_file_read(struct meta_cfg **out, const char *path, struct meta_error *error)
{
    return read_text(out, path, 0, error);
}

void meta_cfg_free(struct meta_cfg *cfg)
{
    if (!cfg) return;
    for (int i = 0; i < cfg->count; i++) {
        struct meta_section *s = &cfg->sections[i];
        for (int k = 0; k < s->count; k++) {
            free(s->pairs[k].key);
            free(s->pairs[k].value);
        }
        free(s->pairs);
        free(s->name);
    }
    free(cfg->sections);
    free(cfg->path);
    free(cfg);
}
