/* Writes the log of a training as CSV, and reads it back; writes it as lines of JSON. */
#define _GNU_SOURCE
#include "train_log.h"
#include "base/file.h"
#include "base/text.h"
#include "config/net_section.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The columns as they stand in the file; the iteration comes before them. */
struct column {
    const char *name, *format;
    size_t offset;
};
#define COLUMN(name, format, field)                                                                \
    {                                                                                              \
        name, format, offsetof(struct meta_row, field)                                             \
    }
enum { COLUMNS = 9, LONGEST = 512 };
static const struct column columns[][COLUMNS] = {
    [META_TRAINING_TASKS] = { COLUMN("meta_loss", "%.9g", meta_loss),
                              COLUMN("query_loss", "%.9g", query_loss),
                              COLUMN("accuracy", "%.6g", accuracy), COLUMN("rate", "%.9g", rate),
                              COLUMN("seconds", "%.4f", seconds), COLUMN("waited", "%.4f", waited),
                              COLUMN("valid_auc", "%.9g", auc), COLUMN("valid_low", "%.9g", low),
                              COLUMN("valid_high", "%.9g", high) },
    [META_TRAINING_IMAGES] = { COLUMN("loss", "%.9g", query_loss),
                               COLUMN("accuracy", "%.6g", accuracy), COLUMN("rate", "%.9g", rate),
                               COLUMN("seconds", "%.4f", seconds), COLUMN("waited", "%.4f", waited),
                               COLUMN("valid_loss", "%.9g", valid_loss),
                               COLUMN("valid_accuracy", "%.9g", auc),
                               COLUMN("valid_low", "%.9g", low),
                               COLUMN("valid_high", "%.9g", high) }
};

/* Room in a line behind its first n bytes. */
static size_t left(int n) { return (size_t)(LONGEST - n); }

static void format_columns(char *line, enum meta_training_kind kind)
{
    int n = snprintf(line, LONGEST, "iteration");
    for (int i = 0; i < COLUMNS; i++)
        n += snprintf(line + n, left(n), ",%s", columns[kind][i].name);
    snprintf(line + n, left(n), "\n");
}

/* A file of JSON lines has none. */
static void format_header(char *line, const struct meta_log *log)
{
    if (log->json) *line = 0;
    else format_columns(line, log->kind);
}

#define JSON_BEGIN "{\"iteration\":"

/* Writes the digits of the CSV. A figure that was not taken is left empty, in JSON null, which also
   stands for a number that JSON has no word for. */
static int format_row(char *line, const struct meta_log *log, const struct meta_row *r)
{
    const struct column *all = columns[log->kind];
    int n = snprintf(line, LONGEST, "%s%llu", log->json ? JSON_BEGIN : "",
                     (unsigned long long)r->iteration);
    for (const struct column *c = all; c < all + COLUMNS; c++) {
        double x = *(const double *)((const char *)r + c->offset);
        n += snprintf(line + n, left(n), log->json ? ",\"%s\":" : ",", c->name);
        if (log->json && !isfinite(x)) n += snprintf(line + n, left(n), "null");
        else if (!isnan(x)) n += snprintf(line + n, left(n), c->format, x);
    }
    return n + snprintf(line + n, left(n), log->json ? "}\n" : "\n");
}

/* Reads a number, or nothing (NaN), up to `end`, and returns what follows the end mark; NULL when
   it is neither. */
static const char *read_number(const char *p, char end, double *x)
{
    char *after = (char *)p;
    *x = NAN;
    if (*p != end) *x = strtod(p, &after);
    return *after == end ? after + 1 : NULL;
}

static int parse_row(const char *line, enum meta_training_kind kind, struct meta_row *r)
{
    double iteration;
    r->meta_loss = r->valid_loss = NAN;
    if (!(line = read_number(line, ',', &iteration))) return -1;
    if (!(iteration >= 1 && iteration <= META_MOST_ITERATIONS) || iteration != rint(iteration))
        return -1;
    r->iteration = (uint64_t)iteration;
    for (int i = 0; i < COLUMNS - 1; i++)
        if (!(line = read_number(line, ',', (double *)((char *)r + columns[kind][i].offset))))
            return -1;
    if (kind == META_TRAINING_IMAGES) r->meta_loss = r->query_loss; /* as the trainer has it */
    double *last = (double *)((char *)r + columns[kind][COLUMNS - 1].offset);
    const char *end = read_number(line, '\n', last);
    return end || ((end = read_number(line, '\r', last)) && *end == '\n') ? 0 : -1;
}

/* Reads the rows of an earlier training, in ascending order, up to `iteration`; returns how many
   bytes of the file they and its header take. Lines may end as a spreadsheet ends them. */
static size_t read_rows(struct meta_log *log, const char *text, uint64_t iteration)
{
    char header[LONGEST];
    format_columns(header, log->kind);
    size_t head = strlen(header) - 1;
    if (strncmp(text, header, head)) return 0;
    const char *p = text + head + (text[head] == '\r');
    if (*p++ != '\n') return 0;
    for (const char *end; (end = strchr(p, '\n')) && log->count < log->room; p = end + 1) {
        struct meta_row row;
        if (parse_row(p, log->kind, &row) || row.iteration > iteration) break;
        if (log->count && row.iteration <= log->rows[log->count - 1].iteration) break;
        log->rows[log->count++] = row;
    }
    log->written = log->count;
    return (size_t)(p - text);
}

/* What follows the rows that are kept may be later rows, or a line that was cut short; anything
   else somebody has put there, and it is not dropped. */
static int check_rest(const struct meta_log *log, const char *text, size_t kept, const char *path,
                      uint64_t iteration, struct meta_error *error)
{
    struct meta_row row;
    int line = 1;
    if (!strchr(text + kept, '\n')
        || (kept && !parse_row(text + kept, log->kind, &row) && row.iteration > iteration))
        return 0;
    for (size_t i = 0; i < kept; i++) line += text[i] == '\n';
    return meta_fail(error,
                     "%s:%d: is not %s of this training's log: mend it, or move the file away to "
                     "begin another",
                     path, line, kept ? "the next row" : "the header");
}

/* Writes the log anew, from what is in memory, and opens it. */
static int restore(struct meta_log *log, struct meta_error *error)
{
    char line[LONGEST];
    struct meta_text text;
    long long size, last = 0;
    if (meta_text_begin(&text, error)) return -1;
    format_header(line, log);
    size = fputs(line, text.file) < 0 ? 0 : (long long)strlen(line);
    for (int i = 0; i < log->written; i++) {
        last = size;
        size += format_row(line, log, &log->rows[i]);
        fputs(line, text.file);
    }
    if (meta_text_write(&text, 0, log->path, error)) return -1;
    int fd = open(log->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return meta_fail(error, "%s: can't open: %s", log->path, strerror(errno));
    close(log->fd);
    log->fd = fd;
    log->size = size;
    log->last = last;
    return 0;
}

/* Writes rows from log->written on, in whole lines: what a full disk cuts short is taken back. */
static int write_rows(struct meta_log *log)
{
    char line[LONGEST];
    while (log->written < log->count) {
        int n = format_row(line, log, &log->rows[log->written]);
        ssize_t put = pwrite(log->fd, line, (size_t)n, log->size);
        if (put != n) {
            int kept = put < 0 ? errno : ENOSPC;
            if (put > 0 && ftruncate(log->fd, log->size)) return -1;
            errno = kept;
            return -1;
        }
        log->last = log->size;
        log->size += n;
        log->written++;
    }
    return 0;
}

/* Whether the file is still there as it was written: somebody may have cut it, moved it away or
   removed it. One that was cut after the last look, and then written to, has a hole before its last
   row. */
static int is_whole(const struct meta_log *log)
{
    struct stat own, there;
    char end = '\n';
    return !fstat(log->fd, &own) && own.st_size == log->size && !stat(log->path, &there)
        && there.st_dev == own.st_dev && there.st_ino == own.st_ino
        && (!log->last || pread(log->fd, &end, 1, log->last - 1) == 1) && end == '\n';
}

int meta_log_open(struct meta_log *log, enum meta_training_kind kind, const char *path,
                  struct meta_error *error)
{
    *log = (struct meta_log){ .kind = kind, .path = strdup(path), .fd = -1 };
    return log->path ? 0 : meta_fail_memory(error);
}

int meta_log_own(const struct meta_log *log, struct meta_error *error)
{
    char *text, header[LONGEST];
    size_t size;
    int own = 0;
    if (access(log->path, F_OK)) return 0;
    if (meta_file_read(log->path, &text, &size, error)) return -1;
    for (int kind = META_TRAINING_TASKS; kind <= META_TRAINING_IMAGES && !own; kind++) {
        format_columns(header, (enum meta_training_kind)kind);
        size_t head = strlen(header) - 1; /* a spreadsheet may end the line otherwise */
        own = !memcmp(text, header, size < head ? size : head);
    }
    free(text);
    return own ? 0
               : meta_fail(error,
                           "%s:1: is not the header of a training's log: move the file away, or "
                           "give the training another -name",
                           log->path);
}

int meta_log_prepare(struct meta_log *log, const char *origin, uint64_t iteration, int room,
                     struct meta_error *error)
{
    char *old = NULL;
    size_t size = 0, keep = 0;
    if (iteration && origin && !access(origin, F_OK) && meta_file_read(origin, &old, &size, error))
        return -1;
    uint64_t rows = iteration < size ? iteration : size; /* a row has more than one byte */
    log->room = room + (int)(rows < META_MOST_ITERATIONS ? rows : META_MOST_ITERATIONS);
    log->rows = calloc((size_t)log->room + 1, sizeof *log->rows);
    int status = log->rows ? 0
                           : meta_fail(error, "out of memory for %d rows of the log", log->room);
    if (!status && old) keep = read_rows(log, old, iteration);
    if (!status && old) status = check_rest(log, old, keep, origin, iteration, error);
    if (!origin || strcmp(origin, log->path)) {
        log->written = 0;
        keep = 0;
    }
    for (log->last = keep ? (long long)keep - 1 : 0; log->last && old[log->last - 1] != '\n';)
        log->last--;
    log->keep = (long long)keep;
    free(old);
    return status;
}

int meta_log_own_lines(const char *path, struct meta_error *error)
{
    const char begin[] = JSON_BEGIN;
    char *text;
    size_t size;
    if (access(path, F_OK)) return 0;
    if (meta_file_read(path, &text, &size, error)) return -1;
    int own = !memcmp(text, begin, size < strlen(begin) ? size : strlen(begin));
    free(text);
    return own ? 0
               : meta_fail(error,
                           "%s:1: is not a line of a training's log: move the file away, or give "
                           "the training another -name",
                           path);
}

/* Finds how many of the log's rows the text begins with. */
static void match_rows(struct meta_log *log, const char *text)
{
    char line[LONGEST];
    for (; log->written < log->count; log->written++) {
        int n = format_row(line, log, &log->rows[log->written]);
        if (strncmp(text + log->keep, line, (size_t)n)) break;
        log->last = log->keep;
        log->keep += n;
    }
}

int meta_log_follow(struct meta_log *log, const struct meta_log *csv, const char *path,
                    struct meta_error *error)
{
    char *text;
    size_t size;
    if (meta_log_own_lines(path, error) || meta_log_open(log, csv->kind, path, error)) return -1;
    log->json = 1;
    log->room = csv->room;
    log->rows = calloc((size_t)log->room + 1, sizeof *log->rows);
    if (!log->rows) return meta_fail(error, "out of memory for %d rows of the log", log->room);
    log->count = csv->count;
    memcpy(log->rows, csv->rows, (size_t)log->count * sizeof *log->rows);
    if (access(path, F_OK)) return 0;
    if (meta_file_read(path, &text, &size, error)) return -1;
    match_rows(log, text);
    free(text);
    return 0;
}

int meta_log_begin(struct meta_log *log, struct meta_error *error)
{
    char header[LONGEST];
    struct stat info;
    log->fd = open(log->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (log->fd < 0 || fstat(log->fd, &info))
        return meta_fail(error, "%s: can't open: %s", log->path, strerror(errno));
    if (info.st_size < log->keep) log->keep = log->written = 0; /* it was moved away */
    format_header(header, log);
    ssize_t head = (ssize_t)strlen(header);
    log->size = log->keep ? log->keep : head;
    if (!ftruncate(log->fd, log->keep)
        && (log->keep || pwrite(log->fd, header, (size_t)head, 0) == head) && !write_rows(log))
        return 0;
    return meta_fail(error, "%s: can't write: %s", log->path, strerror(errno));
}

/* Appends what is not written yet; says when it had to write the log anew. */
static int append(struct meta_log *log, struct meta_error *error)
{
    struct meta_error why;
    int whole = is_whole(log);
    if (!whole && restore(log, &why)) return meta_fail(error, "%s: training goes on", why.text);
    if (write_rows(log))
        return meta_fail(error, "%s: can't write: %s: training goes on", log->path,
                         strerror(errno));
    if (whole) return 0;
    return meta_fail(error, "%s: was changed or removed by another program: it is written anew",
                     log->path);
}

int meta_log_add(struct meta_log *log, const struct meta_row *row, struct meta_error *error)
{
    if (log->count < log->room) log->rows[log->count++] = *row;
    int failed = append(log, error), again = failed && log->broken;
    log->broken = log->written < log->count;
    return failed && !again ? -1 : 0;
}

/* Written over the row that is there, so that no moment is without one. */
void meta_log_amend(struct meta_log *log, const struct meta_row *row)
{
    char line[LONGEST];
    if (!log->count || log->rows[log->count - 1].iteration != row->iteration) return;
    log->rows[log->count - 1] = *row;
    if (log->written < log->count || !is_whole(log)) return;
    int n = format_row(line, log, row);
    log->size = log->last + n;
    if (pwrite(log->fd, line, (size_t)n, log->last) == n && !ftruncate(log->fd, log->size)) return;
    if (ftruncate(log->fd, log->last)) return;
    log->size = log->last;
    log->written--;
}

void meta_log_sync(struct meta_log *log)
{
    struct meta_error ignored; /* the next row tells what goes on failing */
    if ((is_whole(log) || !restore(log, &ignored)) && !write_rows(log)) log->broken = 0;
    fdatasync(log->fd);
}

void meta_log_close(struct meta_log *log)
{
    if (log->fd >= 0) close(log->fd);
    free(log->path);
    free(log->rows);
    *log = (struct meta_log){ .fd = -1 };
}

int meta_log_read(struct meta_row **rows, int *count, const char *path, struct meta_error *error)
{
    struct meta_log log = { 0 };
    char *text;
    size_t size;
    if (meta_file_read(path, &text, &size, error)) return -1;
    for (const char *p = text; *p; p++) log.room += *p == '\n';
    log.rows = calloc((size_t)log.room + 1, sizeof *log.rows);
    if (log.rows) {
        log.kind = META_TRAINING_TASKS;
        if (!read_rows(&log, text, UINT64_MAX)) log.kind = META_TRAINING_IMAGES;
        if (log.kind == META_TRAINING_IMAGES) read_rows(&log, text, UINT64_MAX);
    } else meta_fail_memory_for(error, path);
    free(text);
    *rows = log.rows;
    *count = log.count;
    return log.rows ? 0 : -1;
}
