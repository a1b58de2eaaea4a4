/* Reads and writes STEM.temperature, and chooses a temperature from it. */
#define _GNU_SOURCE
#include "temperature_file.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/c_locale.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/path.h"
#include "base/text.h"

#define EXTENSION ".temperature"
#define FIRST "# Temperatures of adapted weights, format 1"
#define CHECK "crc32="
#define AGAIN "`meta calibrate -overwrite` makes it anew"

char *meta_temperatures_path(const char *weights, struct meta_error *error)
{
    char *path = meta_path_of_weights(weights, EXTENSION);
    if (!path) meta_fail_memory(error);
    return path;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Where a line stands, for messages. */
struct place {
    const char *path;
    int line;
};

static int fail_line(const struct place *at, const char *what, struct meta_error *error)
{
    return meta_fail(error, "%s:%d: %s: " AGAIN, at->path, at->line, what);
}

/* Whether the last line is the check sum of all before it. */
static int check_sum(const char *path, struct meta_error *error)
{
    char *bytes, expected[32];
    size_t size;
    if (meta_file_read(path, &bytes, &size, error)) return -1;
    char *last = size ? memrchr(bytes, '\n', size - 1) : NULL;
    int good = 0;
    if (last) {
        last++;
        snprintf(expected, sizeof expected, CHECK "%08x\n",
                 meta_checksum_add(0, bytes, (size_t)(last - bytes)));
        good = !strcmp(last, expected) && !strncmp(bytes, FIRST "\n", strlen(FIRST) + 1);
    }
    free(bytes);
    return good
        ? 0
        : meta_fail(error, "%s: is cut short, changed or no file of temperatures: " AGAIN, path);
}

/* What stands behind "NAME=" at the line's beginning; NULL: another name. */
static const char *value_of(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) || line[n] != '=' ? NULL : line + n + 1;
}

static int read_whole(int *out, const char *text, int least, int most)
{
    char *end;
    errno = 0;
    long x = strtol(text, &end, 10);
    if (end == text || *end || errno || x < least || x > most) return -1;
    *out = (int)x;
    return 0;
}

static int read_real(double *out, const char *text, double least, double most)
{
    char *end;
    *out = strtod(text, &end);
    return end == text || *end || !(*out >= least && *out <= most) ? -1 : 0;
}

static int read_bytes(uint64_t *out, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(text, &end, 10);
    *out = x;
    return end == text || *end || errno || *text == '-' ? -1 : 0;
}

/* Reads "NAME=VALUE". */
static int read_setting(struct meta_temperatures *t, const char *line)
{
    const char *v;
    if ((v = value_of(line, "weights"))) {
        uint64_t bytes = t->weights.bytes;
        int status = meta_digest_parse(&t->weights, v);
        t->weights.bytes = bytes;
        return status;
    }
    if ((v = value_of(line, "bytes"))) return read_bytes(&t->weights.bytes, v);
    if ((v = value_of(line, "seed"))) return read_bytes(&t->seed, v);
    if ((v = value_of(line, "ways"))) return read_whole(&t->ways, v, 2, 1000);
    if ((v = value_of(line, "steps"))) return read_whole(&t->steps, v, 0, 1000);
    if ((v = value_of(line, "tasks"))) return read_whole(&t->tasks, v, 1, INT_MAX);
    if ((v = value_of(line, "inner"))) {
        snprintf(t->inner, sizeof t->inner, "%s", v);
        return strlen(v) < sizeof t->inner ? 0 : -1;
    }
    if ((v = value_of(line, "learning_rate"))) return read_real(&t->learning_rate, v, 0, INFINITY);
    return -1;
}

/* Reads "batch 5 1.83 1.7 1.9 0.71 0.62". */
static int read_row(struct meta_temperature_row *row, char *line)
{
    char *rest, *word[8];
    int count = 0;
    for (char *w = strtok_r(line, " ", &rest); w && count < 8; w = strtok_r(NULL, " ", &rest))
        word[count++] = w;
    if (count != 7 || strlen(word[0]) >= sizeof row->statistics) return -1;
    strcpy(row->statistics, word[0]);
    return read_whole(&row->shots, word[1], 1, 1000)
            || read_real(&row->temperature, word[2], 1e-6, 1e6)
            || read_real(&row->low, word[3], 0, INFINITY)
            || read_real(&row->high, word[4], 0, INFINITY)
            || read_real(&row->before, word[5], 0, INFINITY)
            || read_real(&row->after, word[6], 0, INFINITY)
        ? -1
        : 0;
}

static int read_line(struct meta_temperatures *t, char *line, const struct place *at,
                     struct meta_error *error)
{
    if (*line == '#' || !strncmp(line, CHECK, strlen(CHECK))) return 0;
    if (strchr(line, '='))
        return read_setting(t, line) ? fail_line(at, "is no setting of such a file", error) : 0;
    if (t->count == META_TEMPERATURE_ROWS) return fail_line(at, "is one row too many", error);
    return read_row(&t->rows[t->count++], line) ? fail_line(at, "is no row of a temperature", error)
                                                : 0;
}

int meta_temperatures_read(struct meta_temperatures *t, const char *path, struct meta_error *error)
{
    struct meta_lines lines;
    int status = 0;
    *t = (struct meta_temperatures){ 0 };
    if (check_sum(path, error) || meta_lines_read(&lines, path, error)) return -1;
    locale_t before = meta_c_locale_begin();
    for (int i = 0; i < lines.count && !status; i++) {
        const struct place at = { path, lines.number[i] };
        status = read_line(t, lines.line[i], &at, error);
    }
    meta_c_locale_end(before);
    meta_lines_free(&lines);
    if (!status && (!t->count || !t->ways || !t->tasks))
        status = meta_fail(error, "%s: has no temperature, or not all settings: " AGAIN, path);
    return status;
}

int meta_temperatures_digest(struct meta_digest *digest, const char *weights,
                             struct meta_error *error)
{
    struct meta_digest both[2];
    char *rates = meta_path_of_weights(weights, ".rates");
    if (!rates) return meta_fail_memory(error);
    int beside = !access(rates, F_OK),
        status = meta_digest_file(&both[0], weights, error)
        || (beside && meta_digest_file(&both[1], rates, error));
    free(rates);
    if (status) return -1;
    *digest = beside ? meta_digest(both, sizeof both) : both[0];
    digest->bytes = both[0].bytes;
    return 0;
}

int meta_temperatures_find(struct meta_temperatures *t, const char *weights,
                           struct meta_error *error)
{
    struct meta_digest own;
    char *path = meta_temperatures_path(weights, error);
    *t = (struct meta_temperatures){ 0 };
    if (!path) return -1;
    int status = 0;
    if (!access(path, F_OK)) {
        status = meta_temperatures_read(t, path, error)
            || meta_temperatures_digest(&own, weights, error);
        if (!status && !meta_digest_equal(own, t->weights))
            status = meta_fail(error,
                               "%s: is of other weights or learned rates than %s: " AGAIN
                               ", or remove it",
                               path, weights);
    }
    free(path);
    return status ? -1 : 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void print(FILE *f, const struct meta_temperatures *t, const char *comment)
{
    char digest[META_DIGEST_TEXT];
    meta_digest_text(digest, t->weights);
    fprintf(f, FIRST "\n# %s\nweights=%s\nbytes=%llu\nways=%d\nsteps=%d\nlearning_rate=%.17g\n",
            comment, digest, (unsigned long long)t->weights.bytes, t->ways, t->steps,
            t->learning_rate);
    if (*t->inner) fprintf(f, "inner=%s\n", t->inner);
    fprintf(f, "seed=%llu\ntasks=%d\n", (unsigned long long)t->seed, t->tasks);
    fputs("# statistics, shots, temperature, its 95% interval, negative log-likelihood without and "
          "with it\n",
          f);
    for (int i = 0; i < t->count; i++) {
        const struct meta_temperature_row *r = &t->rows[i];
        fprintf(f, "%s %d %.17g %.9g %.9g %.9g %.9g\n", r->statistics, r->shots, r->temperature,
                isfinite(r->low) ? r->low : 0, isfinite(r->high) ? r->high : 0, r->before,
                r->after);
    }
}

int meta_temperatures_write(const struct meta_temperatures *t, const char *path,
                            const char *comment, struct meta_error *error)
{
    struct meta_text text;
    char *bytes, check[32];
    if (meta_text_begin(&text, error)) return -1;
    locale_t before = meta_c_locale_begin();
    print(text.file, t, comment);
    meta_c_locale_end(before);
    if (meta_text_end(&text, 0, &bytes, error)) return -1;
    size_t size = strlen(bytes);
    snprintf(check, sizeof check, CHECK "%08x\n", meta_checksum_add(0, bytes, size));
    const struct meta_chunk chunks[] = { { bytes, size }, { check, strlen(check) } };
    int status = meta_file_write(path, chunks, 2, error);
    free(bytes);
    return status;
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* The rows of these statistics that are nearest to so many shots from below and from above; either
   is NULL where there is none. */
static void find_rows(const struct meta_temperatures *t, const struct meta_temperature_use *use,
                      const struct meta_temperature_row **below,
                      const struct meta_temperature_row **above)
{
    *below = *above = NULL;
    for (const struct meta_temperature_row *r = t->rows; r < t->rows + t->count; r++) {
        if (strcmp(r->statistics, use->statistics)) continue;
        if (r->shots <= use->shots && (!*below || r->shots > (*below)->shots)) *below = r;
        if (r->shots >= use->shots && (!*above || r->shots < (*above)->shots)) *above = r;
    }
}

double meta_temperatures_choose(const struct meta_temperatures *t,
                                const struct meta_temperature_use *use, char *why, size_t size)
{
    const struct meta_temperature_row *below, *above;
    find_rows(t, use, &below, &above);
    *why = 0;
    if (t->ways != use->ways) snprintf(why, size, "%d classes, not %d", t->ways, use->ways);
    else if (t->steps != use->steps || t->learning_rate != use->learning_rate)
        snprintf(why, size, "%d steps at %g, not %d at %g", t->steps, t->learning_rate, use->steps,
                 use->learning_rate);
    else if (*t->inner && strcmp(t->inner, use->inner))
        snprintf(why, size, "%s, not %s", t->inner, use->inner);
    else if (use->copies > 1) snprintf(why, size, "answers without -augment");
    else if (!below && !above) snprintf(why, size, "other statistics than %s", use->statistics);
    if (*why || (!below && !above)) return 0;
    if (!above || below == above) return below->temperature;
    if (!below) return above->temperature;
    double part = log(use->shots / below->shots) / log((double)above->shots / below->shots);
    return below->temperature * pow(above->temperature / below->temperature, part);
}
