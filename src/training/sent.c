/* Keeps the record of what has left a site. */
#include "sent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/text.h"
#include "learning/sites.h"

#define HEAD "iteration,kind,bytes"

struct meta_sent {
    struct meta_text early; /* rows before there is a file */
    int is_early;
    FILE *file;
    char *path;
    uint64_t iteration, vectors;
    char last[64]; /* the last row without its bytes, where it was of a vector; else "" */
};

int meta_sent_create(struct meta_sent **out, struct meta_error *error)
{
    struct meta_sent *s = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    if (meta_text_begin(&s->early, error)) {
        free(s);
        return -1;
    }
    s->is_early = 1;
    *out = s;
    return 0;
}

void meta_sent_free(struct meta_sent *s)
{
    struct meta_error ignored;
    char *text = NULL;
    if (!s) return;
    if (s->is_early) meta_text_end(&s->early, 0, &text, &ignored);
    if (s->file) fclose(s->file);
    free(text);
    free(s->path);
    free(s);
}

/* Counts a row as a vector that has left, unless it is a further part of the one before. */
static void count(struct meta_sent *s, const char *row)
{
    char key[sizeof s->last] = "";
    const char *kind = strchr(row, ','), *bytes = kind ? strchr(kind + 1, ',') : NULL;
    if (!bytes) return;
    size_t n = (size_t)(bytes - kind - 1);
    if ((n == strlen(META_SITES_GRADIENT) && !memcmp(kind + 1, META_SITES_GRADIENT, n))
        || (n == strlen(META_SITES_CHANGE) && !memcmp(kind + 1, META_SITES_CHANGE, n)))
        snprintf(key, sizeof key, "%.*s", (int)(bytes - row), row);
    if (*key && strcmp(key, s->last)) s->vectors++;
    strcpy(s->last, key);
}

/* Counts what an earlier run has sent. */
static int read_earlier(struct meta_sent *s, const char *path, struct meta_error *error)
{
    struct meta_lines lines;
    if (access(path, F_OK)) return 0;
    if (meta_lines_read(&lines, path, error)) return -1;
    /* a full disk may have kept the head from a file that was made */
    int known = !lines.count || !strcmp(lines.line[0], HEAD);
    for (int i = 1; i < lines.count; i++) count(s, lines.line[i]);
    meta_lines_free(&lines);
    *s->last = 0;
    return known ? 0 : meta_fail(error, "%s: is no record of what a site has sent", path);
}

/* Begins a file that is empty, or ends a row that a killed run may have left cut short. */
static int begin_row(FILE *f)
{
    int is_new = fseek(f, -1, SEEK_END), last = is_new ? '\n' : fgetc(f);
    if (fseek(f, 0, SEEK_END) || (last != '\n' && fputc('\n', f) == EOF)) return -1;
    return is_new && fputs(HEAD "\n", f) < 0 ? -1 : 0;
}

int meta_sent_open(struct meta_sent *s, const char *path, struct meta_error *error)
{
    char *rows = NULL;
    s->is_early = 0;
    int status = meta_text_end(&s->early, 0, &rows, error) || read_earlier(s, path, error);
    if (!status && !(s->path = strdup(path))) status = meta_fail_memory(error);
    if (!status) {
        s->file = fopen(path, "a+e");
        if (!s->file || begin_row(s->file) || fputs(rows, s->file) < 0 || fflush(s->file))
            status = meta_fail(error, "%s: can't be written: %s", path, strerror(errno));
    }
    free(rows);
    return status ? -1 : 0;
}

void meta_sent_iteration(struct meta_sent *s, uint64_t iteration) { s->iteration = iteration; }

int meta_sent_record(void *context, const char *about, size_t bytes, struct meta_error *error)
{
    struct meta_sent *s = context;
    FILE *file = s->is_early ? s->early.file : s->file;
    char row[120];
    snprintf(row, sizeof row, "%llu,%s,%zu\n", (unsigned long long)s->iteration,
             about ? about : "settings", bytes);
    if (!file || fputs(row, file) < 0 || (!s->is_early && fflush(file)))
        return meta_fail(error, "%s: can't be written: %s: what can't be recorded is not sent",
                         s->path ? s->path : "the record", strerror(errno));
    count(s, row);
    return 0;
}

uint64_t meta_sent_vectors(const struct meta_sent *s) { return s->vectors; }

void meta_sent_sync(const struct meta_sent *s)
{
    if (s->file) fdatasync(fileno(s->file));
}
