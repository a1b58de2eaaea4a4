/* Rewrites a .cfg line by line for Darknet's own parser. */
#include "stock_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/text.h"
#include "cfg.h"
#include "plugins.h"
#include "sections.h"

/* Options that stock's parser does not have, or with a value that it does not have. */
static const struct {
    const char *section, *key, *value; /* value NULL: any */
} ours[] = { { "net", "flip", NULL },
             { "net", "average", NULL },
             { "net", "orientation", NULL },
             { "net", "policy", "cosine" },
             { "convolutional", "rotations", NULL },
             { "convolutional", "dilation", "1" },
             { "connected", "rotations", NULL } };

static int is_ours(const struct meta_section *s, const struct meta_pair *pair)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    for (size_t i = 0; type && i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(ours[i].section, type->name) && !strcmp(ours[i].key, pair->key)
            && (!ours[i].value || !strcmp(ours[i].value, pair->value)))
            return 1;
    return 0;
}

/* Whether the section is left out: one of ours that is no layer. */
static int left_out(const struct meta_section *s, const struct meta_plugins *plugins,
                    const char *path, int *out, struct meta_error *error)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    const struct meta_plugin *plugin = type ? NULL : meta_plugins_find(plugins, s->name);
    *out = plugin && plugin->role != META_ROLE_LAYER && plugin->role != META_ROLE_PAIRING;
    if (*out || (type && strcmp(type->name, "scale_channels"))) return 0;
    return meta_fail(error,
                     "%s:%d: [%s]: is a layer that stock Darknet does not have: `meta adapt` "
                     "writes an adapted network without it where it can",
                     path, s->line, s->name);
}

struct writer {
    FILE *file;
    const struct meta_cfg *cfg;
    int section, pair; /* the section of the line, and its next option */
    int *left_out;     /* (cfg->count) */
};

/* A comment line; what is no comment yet becomes one. */
static void put_comment(FILE *file, const char *text)
{
    text += strspn(text, " \t");
    fprintf(file, *text == '#' || *text == ';' ? "%s\n" : "# %s\n", text);
}

/* Takes blanks, and a CR, off the end. */
static void trim_end(char *line)
{
    size_t n = strlen(line);
    while (n && strchr(" \t\r\v\f", line[n - 1])) line[--n] = 0;
}

/* Cuts the comment off a line and puts it before it. */
static void put_line(struct writer *w, char *line, int number)
{
    const struct meta_cfg *cfg = w->cfg;
    char *comment = strpbrk(line, "#;");
    trim_end(line);
    if (comment == line + strspn(line, " \t") || !*line) {
        fprintf(w->file, "%s\n", line);
        return;
    }
    if (w->section + 1 < cfg->count && cfg->sections[w->section + 1].line == number) {
        w->section++;
        w->pair = 0;
    }
    if (comment) {
        put_comment(w->file, comment);
        *comment = 0;
        trim_end(line);
    }
    const struct meta_section *s = &cfg->sections[w->section];
    const struct meta_pair *pair = w->pair < s->count && s->pairs[w->pair].line == number
        ? &s->pairs[w->pair++]
        : NULL;
    if (w->left_out[w->section]) put_comment(w->file, line);
    else if (pair && is_ours(s, pair)) fprintf(w->file, "# not stock Darknet's: %s\n", line);
    else fprintf(w->file, "%s\n", line);
}

static int write_text(struct writer *w, const char *path, char **text, struct meta_error *error)
{
    struct meta_text out;
    char *bytes, *line;
    if (meta_lines_text(path, &bytes, &line, error)) return -1;
    if (meta_text_begin(&out, error)) {
        free(bytes);
        return -1;
    }
    w->file = out.file;
    w->section = -1;
    fprintf(out.file, "# %s" META_STOCK_LINE "\n", path);
    for (int number = 1; *line; number++) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        put_line(w, line, number);
        line = end ? end + 1 : line + strlen(line);
    }
    free(bytes);
    return meta_text_end(&out, 0, text, error);
}

int meta_stock_cfg(char **text, const char *path, struct meta_error *error)
{
    struct meta_cfg *cfg;
    const struct meta_plugins *plugins = meta_plugins_load(error);
    if (!plugins || meta_cfg_read(&cfg, path, error)) return -1;
    struct writer w = { .cfg = cfg, .left_out = calloc((size_t)cfg->count + 1, sizeof(int)) };
    int status = w.left_out ? 0 : meta_fail_memory_for(error, path);
    for (int i = 0; i < cfg->count && !status; i++)
        status = left_out(&cfg->sections[i], plugins, path, &w.left_out[i], error);
    if (!status) status = write_text(&w, path, text, error);
    free(w.left_out);
    meta_cfg_free(cfg);
    return status;
}
