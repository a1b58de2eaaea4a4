/* Reads and writes files of learned inner rates. */
#define _GNU_SOURCE
#include "rates_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/c_locale.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/path.h"
#include "base/text.h"

static const char format[] = "darknet meta rates 1", last[] = "end";

char *meta_rates_path(const char *weights) { return meta_path_of_weights(weights, META_RATES_END); }

int meta_rates_exist(const char *weights)
{
    char *path = meta_rates_path(weights);
    int there = path && !access(path, F_OK);
    free(path);
    return there;
}

/* The second line of the file. */
static void describe(FILE *f, const struct meta_rates *r)
{
    fprintf(f, "rates=%s ", meta_rates_name(r->how.kind));
    if (r->how.kind == META_RATES_LAYER) fprintf(f, "steps=%d ", r->how.steps);
    fputs("layers=", f);
    for (int k = 0; k < r->layers; k++)
        fprintf(f, "%s%d:%zu", k ? "," : "", r->layer[k].layer, r->layer[k].count);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int check_head(const struct meta_lines *lines, const struct meta_rates *r, const char *path,
                      struct meta_error *error)
{
    struct meta_text t;
    char *wanted;
    if (!lines->count || strcmp(lines->line[0], format))
        return meta_fail(error, "%s: is not a file of learned rates: its first line must be `%s`",
                         path, format);
    if (meta_text_begin(&t, error)) return -1;
    describe(t.file, r);
    if (meta_text_end(&t, 0, &wanted, error)) return -1;
    const char *got = lines->count > 1 ? lines->line[1] : "";
    int status = strcmp(got, wanted)
        ? meta_fail(error, "%s:2: `%.160s`: must be `%.160s`, of the .cfg's network", path, got,
                    wanted)
        : 0;
    free(wanted);
    return status;
}

static int read_numbers(const struct meta_lines *lines, size_t numbers, const char *path,
                        float *value, struct meta_error *error)
{
    int ended = !strcmp(lines->line[lines->count - 1], last);
    size_t got = (size_t)(lines->count - 2 - ended);
    if (!ended || got != numbers)
        return meta_fail(error, "%s: %zu numbers%s: must be %zu and the line `%s`", path, got,
                         ended ? "" : " and no end", numbers, last);
    locale_t before = meta_c_locale_begin();
    int status = 0;
    for (size_t i = 0; i < numbers; i++) {
        char *end;
        value[i] = strtof(lines->line[i + 2], &end);
        if (end != lines->line[i + 2] && !*end && isfinite(value[i])) continue;
        status = meta_fail(error, "%s:%d: %.40s: must be a finite number", path,
                           lines->number[i + 2], lines->line[i + 2]);
        break;
    }
    meta_c_locale_end(before);
    return status;
}

static int read_file(const char *path, const struct meta_rates *r, float *value,
                     struct meta_error *error)
{
    struct meta_lines lines;
    if (access(path, F_OK))
        return meta_fail(error,
                         "%s: isn't there: [inner_loop] rates=%s: the learned rates must lie "
                         "beside the .weights, under the same name",
                         path, meta_rates_name(r->how.kind));
    if (meta_lines_read(&lines, path, error)) return -1;
    int status = check_head(&lines, r, path, error)
            || read_numbers(&lines, meta_rates_numbers(r), path, value, error)
        ? -1
        : 0;
    meta_lines_free(&lines);
    return status;
}

int meta_rates_load(const struct meta_network *net, struct meta_rates_how how, const char *weights,
                    float **value, struct meta_error *error)
{
    struct meta_rates r = { 0 };
    char *path = meta_rates_path(weights);
    *value = NULL;
    int status = path ? meta_rates_shape(&r, net, how, error) : meta_fail_memory(error);
    if (!status && !(*value = malloc(meta_rates_numbers(&r) * sizeof **value)))
        status = meta_fail_memory(error);
    if (!status) status = read_file(path, &r, *value, error);
    if (status) {
        free(*value);
        *value = NULL;
    }
    free(r.layer);
    free(path);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

int meta_rates_begin(struct meta_new_file **file, const struct meta_network *net,
                     struct meta_rates_how how, const char *weights, const float *value,
                     struct meta_error *error)
{
    struct meta_rates r = { 0 };
    struct meta_text t;
    *file = NULL;
    char *path = meta_rates_path(weights);
    int status = path ? meta_rates_shape(&r, net, how, error) : meta_fail_memory(error);
    if (!status && !(status = meta_text_begin(&t, error))) {
        locale_t before = meta_c_locale_begin();
        fprintf(t.file, "%s\n", format);
        describe(t.file, &r);
        fputc('\n', t.file);
        for (size_t i = 0; i < meta_rates_numbers(&r); i++) fprintf(t.file, "%.9g\n", value[i]);
        fprintf(t.file, "%s\n", last);
        meta_c_locale_end(before);
        status = meta_text_new_file(&t, 0, file, path, error);
    }
    free(r.layer);
    free(path);
    return status;
}

int meta_rates_save(const struct meta_network *net, struct meta_rates_how how, const char *weights,
                    const float *value, struct meta_error *error)
{
    struct meta_new_file *file;
    return meta_rates_begin(&file, net, how, weights, value, error)
            || meta_new_file_end(file, error)
        ? -1
        : 0;
}
