/* Writes and reads the answers to the query images of a test. */
#include "task_answers.h"
#include "base/csv.h"
#include "base/head.h"
#include "base/lines.h"
#include "base/number_text.h"
#include "base/text.h"
#include "tasks/identity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* task: from 0; images: the digest of all its images, as in the JSON of the test; image, xxh3_128,
   class: path, digest and class of a query image; asked: the class of the task that log_odds are
   of. */
static const char header[] = "task,images,image,xxh3_128,class,asked,log_odds";
enum { LOG_ODDS = 6, FIELDS };

int meta_task_answers_is(const char *path)
{
    char line[sizeof header + 1];
    return !strcmp(meta_head_line(path, line, sizeof line), header);
}

/* The tasks of a test, one after the other. */
struct walk {
    const struct meta_evaluation *evaluation;
    const struct meta_dataset *dataset;
    struct meta_sampler *sampler;
    struct meta_episode *episode;
    int task;
    char images[META_DIGEST_TEXT];
};

static void end_walk(struct walk *w)
{
    meta_episode_free(w->episode);
    meta_sampler_free(w->sampler);
}

static int begin_walk(struct walk *w, const struct meta_evaluation *e,
                      const struct meta_dataset *dataset, struct meta_error *error)
{
    *w = (struct walk){ .evaluation = e, .dataset = dataset };
    if (!meta_sampler_create(&w->sampler, dataset, &e->episode, error)
        && !meta_episode_create(&w->episode, &e->episode, error))
        return 0;
    end_walk(w);
    return -1;
}

static void draw(struct walk *w, int task)
{
    const struct meta_evaluation *e = w->evaluation;
    struct meta_episode *t = w->episode;
    struct meta_digest images = { 0 };
    meta_episode_draw(w->sampler, e->seed, (uint64_t)task, e->task, t);
    images = meta_identity_of(w->dataset, t->support, t->ways * t->shots, images);
    images = meta_identity_of(w->dataset, t->query, t->ways * t->queries, images);
    meta_digest_text(w->images, images);
    w->task = task;
}

/* What a row of a task is of: a query image and one of the task's classes. */
struct row {
    const char *path, *class, *asked;
    char digest[META_DIGEST_TEXT];
};

static struct row row_at(const struct walk *w, int number)
{
    const struct meta_episode *t = w->episode;
    const struct meta_dataset *d = w->dataset;
    int index = number / t->ways, item = t->query[index];
    struct row r = { d->paths[item], d->names[t->classes[index / t->queries]],
                     d->names[t->classes[number % t->ways]], "" };
    meta_digest_text(r.digest, d->digests[item]);
    return r;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Of a task that has diverged all are nan. */
static void write_row(FILE *f, const struct walk *w, int number, double log_odds)
{
    char text[META_NUMBER_TEXT];
    const struct row r = row_at(w, number);
    fprintf(f, "%d,%s,", w->task, w->images);
    meta_csv_write_field(f, r.path);
    fprintf(f, ",%s,", r.digest);
    meta_csv_write_field(f, r.class);
    putc(',', f);
    meta_csv_write_field(f, r.asked);
    fprintf(f, ",%s\n", isfinite(log_odds) ? meta_number_text(log_odds, text) : "nan");
}

int meta_task_answers_write(const char *path, const struct meta_run *runs,
                            const struct meta_evaluation *e, const struct meta_dataset *dataset,
                            struct meta_error *error)
{
    struct meta_text text;
    struct walk w;
    int ways = e->episode.ways, images = ways * e->episode.queries;
    if (begin_walk(&w, e, dataset, error)) return -1;
    int status = meta_text_begin(&text, error);
    if (!status) {
        fprintf(text.file, "%s\n", header);
        for (int r = 0; r < e->runs; r++) {
            draw(&w, r);
            for (int i = 0; i < images * ways; i++)
                write_row(text.file, &w, i, runs[r].log_odds[i]);
        }
        status = meta_text_write(&text, 0, path, error);
    }
    end_walk(&w);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char same_tasks[] = "the answers must be to the same tasks, of the same list, seed, "
                                 "ways, shots and queries";

/* Where a row is, for messages. */
struct place {
    const char *path;
    int line;
};

/* Takes the number of a task's row, which must be of its query image and class. A file may lie
   elsewhere now: the digests, and not the path, tell which images they are. */
static int take_row(double *out, char *const field[FIELDS], const struct walk *w, int number,
                    struct place at, struct meta_error *error)
{
    static const char *const names[FIELDS] = { "task", "images", "", "xxh3_128", "class", "asked" };
    const struct row r = row_at(w, number);
    char task[16], *end;
    snprintf(task, sizeof task, "%d", w->task);
    const char *must[FIELDS] = { task, w->images, NULL, r.digest, r.class, r.asked, NULL };
    for (int k = 0; k < FIELDS; k++)
        if (must[k] && strcmp(field[k], must[k]))
            return meta_fail(error, "%s:%d: %s %.80s: must be %.80s: %s", at.path, at.line,
                             names[k], field[k], must[k], same_tasks);
    *out = strtod(field[LOG_ODDS], &end);
    if (end != field[LOG_ODDS] && !*end && !isinf(*out)) return 0;
    return meta_fail(error, "%s:%d: log_odds %.40s: must be a number, or nan", at.path, at.line,
                     field[LOG_ODDS]);
}

static int read_header(struct meta_csv *csv, struct meta_error *error)
{
    char *field[FIELDS];
    int count, line;
    if (meta_csv_next(csv, field, FIELDS, &count, &line, error)) return -1;
    int same = count == FIELDS;
    for (const char *at = header; same && count; at += strcspn(at, ",") + 1) {
        const char *own = field[FIELDS - count--];
        same = strlen(own) == strcspn(at, ",") && !strncmp(own, at, strlen(own));
    }
    return same ? 0 : meta_fail(error, "%s:%d: must be %s", csv->path, line, header);
}

/* log_odds: (images, ways) of the task that is drawn. */
static int read_task(double *log_odds, struct meta_csv *csv, const struct walk *w,
                     struct meta_error *error)
{
    const struct meta_episode_settings *t = &w->evaluation->episode;
    char *field[FIELDS];
    int count, line;
    for (int i = 0; i < t->ways * t->queries * t->ways; i++) {
        if (meta_csv_next(csv, field, FIELDS, &count, &line, error)) return -1;
        if (!count)
            return meta_fail(error, "%s:%d: ends before task %d of %d: %s", csv->path, line,
                             w->task, w->evaluation->runs, same_tasks);
        if (count != FIELDS)
            return meta_fail(error, "%s:%d: has %d fields: must be %d, %s", csv->path, line, count,
                             FIELDS, header);
        const struct place at = { csv->path, line };
        if (take_row(&log_odds[i], field, w, i, at, error)) return -1;
    }
    return 0;
}

static int read_tasks(double *log_odds, char *text, const char *path, struct walk *w,
                      struct meta_error *error)
{
    const struct meta_evaluation *e = w->evaluation;
    struct meta_csv csv = meta_csv_start(path, text, "task");
    size_t each = (size_t)e->episode.ways * e->episode.queries * e->episode.ways;
    int status = read_header(&csv, error);
    for (int r = 0; r < e->runs && !status; r++) {
        draw(w, r);
        status = read_task(log_odds + (size_t)r * each, &csv, w, error);
    }
    return status;
}

int meta_task_answers_read(double **log_odds, const char *path, const struct meta_evaluation *e,
                           const struct meta_dataset *dataset, struct meta_error *error)
{
    struct walk w;
    char *bytes, *text;
    size_t each = (size_t)e->episode.ways * e->episode.queries * e->episode.ways;
    *log_odds = NULL;
    if (meta_lines_text(path, &bytes, &text, error)) return -1;
    int status = begin_walk(&w, e, dataset, error);
    if (!status) {
        *log_odds = malloc(((size_t)e->runs * each + 1) * sizeof **log_odds);
        status = *log_odds ? read_tasks(*log_odds, text, path, &w, error)
                           : meta_fail_memory_for(error, path);
        end_walk(&w);
    }
    free(bytes);
    if (!status) return 0;
    free(*log_odds);
    *log_odds = NULL;
    return -1;
}
