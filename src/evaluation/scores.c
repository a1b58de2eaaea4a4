/* Reads results of `meta test`, and takes the difference of two that have the same tasks. */
#include "scores.h"
#include "base/json.h"
#include "json_files.h"
#include "results.h"
#include "tasks/data_file.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}
static char *text_member(const cJSON *object, const char *name)
{
    return strdup(meta_json_text(object, name));
}

/* Which images a task has: a digest, or, in a file that goes by path, a CRC-32 of eight digits. */
static int parse_images(struct meta_digest *images, const char *text, int by_path)
{
    char *end;
    if (!by_path) return meta_digest_parse(images, text);
    *images = (struct meta_digest){ .low = strtoul(text, &end, 16) };
    return end - text == 8 && !*end ? 0 : -1;
}

static int read_tasks(struct meta_scores *s, const cJSON *tasks, struct meta_error *error)
{
    s->count = cJSON_GetArraySize(tasks);
    size_t room = (size_t)s->count + 1;
    s->before = calloc(room, sizeof *s->before);
    s->after = calloc(room, sizeof *s->after);
    s->accuracy = calloc(room, sizeof *s->accuracy);
    s->images = calloc(room, sizeof *s->images);
    if (!s->before || !s->after || !s->accuracy || !s->images)
        return meta_fail_memory_for(error, s->path);
    int i = 0;
    const cJSON *t;
    cJSON_ArrayForEach(t, tasks)
    {
        s->before[i] = meta_json_get(t, "auc_before");
        s->after[i] = meta_json_get(t, "auc_after");
        s->accuracy[i] = meta_json_get(t, "accuracy_after");
        if (isnan(s->before[i]) || isnan(s->after[i])
            || parse_images(&s->images[i], meta_json_text(t, "images"), s->by_path))
            return meta_fail(error, "%s: task %d has no auc_before, auc_after or images", s->path,
                             i);
        i++;
    }
    return 0;
}

/* Reads n numbers, some of which may be null. */
static int read_numbers(double *out, const cJSON *array, int n)
{
    if (cJSON_GetArraySize(array) != n) return -1;
    const cJSON *number = n ? array->child : NULL;
    for (int i = 0; i < n; i++, number = number->next)
        out[i] = cJSON_IsNumber(number) ? number->valuedouble : NAN;
    return 0;
}

static int read_influences(struct meta_by_group *g, const cJSON *groups)
{
    const cJSON *parts = member(groups, "parts");
    if (read_numbers(g->query, member(groups, "influence"), g->count)
        || cJSON_GetArraySize(parts) != META_PARTS)
        return -1;
    for (int b = 0; b < META_PARTS; b++)
        if (read_numbers(g->part + (size_t)b * (size_t)g->count, cJSON_GetArrayItem(parts, b),
                         g->count))
            return -1;
    return 0;
}

/* The class of each group, and the digest of what the groups are. */
static void read_labels(struct meta_scores *s, const cJSON *image, const cJSON *groups)
{
    const cJSON *label = member(groups, "class")->child, *asked = member(groups, "asked")->child;
    for (int i = 0; i < s->groups.count; i++) {
        struct meta_digest d = s->same_groups;
        s->groups.label[i] = label->valueint;
        d = meta_digest_add(d, image->valuestring, strlen(image->valuestring) + 1);
        d = meta_digest_add(d, &label->valueint, sizeof label->valueint);
        s->same_groups = meta_digest_add(d, &asked->valuedouble, sizeof asked->valuedouble);
        image = image->next;
        label = label->next;
        asked = asked->next;
    }
}

static int read_groups(struct meta_scores *s, const cJSON *groups, struct meta_error *error)
{
    const cJSON *image = member(groups, s->by_path ? "image" : "xxh3_128");
    struct meta_by_group *g = &s->groups;
    size_t room = (size_t)cJSON_GetArraySize(image) + 1;
    if (!groups) return 0;
    s->query_alone = strcmp(meta_json_text(groups, "redrawn"), META_REDRAWN) != 0;
    if (s->query_alone) return 0;
    g->tasks = s->count;
    g->count = cJSON_GetArraySize(image);
    g->label = calloc(room, sizeof *g->label);
    g->query = calloc(room, sizeof *g->query);
    g->part = calloc(room * META_PARTS, sizeof *g->part);
    if (!g->label || !g->query || !g->part) return meta_fail_memory_for(error, s->path);
    if (cJSON_GetArraySize(member(groups, "class")) != g->count
        || cJSON_GetArraySize(member(groups, "asked")) != g->count || read_influences(g, groups))
        return meta_fail(error, "%s: other_groups: has arrays of several lengths", s->path);
    if (g->count) read_labels(s, image->child, groups);
    return 0;
}

static int is_result(const cJSON *root)
{
    const cJSON *tasks = member(root, "tasks");
    double format = meta_json_get(root, "format");
    return !strcmp(meta_json_text(root, "program"), "darknet meta test")
        && (format == META_RESULTS_FORMAT || format == META_RESULTS_BY_PATH) && cJSON_IsArray(tasks)
        && cJSON_GetArraySize(tasks);
}

/* As many as there is room for, and dots for the others. */
static void read_temper(struct meta_scores *s, const cJSON *numbers)
{
    static const char more[] = ", ...";
    size_t n = 0;
    for (const cJSON *t = numbers ? numbers->child : NULL; t; t = t->next) {
        char word[32];
        size_t length = (size_t)snprintf(word, sizeof word, "%s%g", n ? ", " : "", t->valuedouble);
        int fits = n + length + sizeof more <= sizeof s->temper;
        n += (size_t)snprintf(s->temper + n, sizeof s->temper - n, "%s", fits ? word : more);
        if (!fits) return;
    }
}

static int read_names(struct meta_scores *s, const cJSON *root, struct meta_error *error)
{
    const cJSON *files = member(root, "files"), *settings = member(root, "settings");
    char words[256];
    snprintf(words, sizeof words, "seed %s, %g runs, %g ways, %g shots, %g queries",
             meta_json_text(settings, "seed"), meta_json_get(settings, "runs"),
             meta_json_get(settings, "ways"), meta_json_get(settings, "shots"),
             meta_json_get(settings, "queries"));
    s->cfg = text_member(member(files, "cfg"), "path");
    s->method = text_member(settings, "method");
    s->weights = text_member(member(files, "weights"), "path");
    s->settings = strdup(words);
    s->weights_count = s->copies = 1;
    do snprintf(words, sizeof words, "weights_%d", ++s->weights_count);
    while (member(files, words));
    s->weights_count--;
    double copies = meta_json_get(settings, "augment");
    if (copies > 1 && copies < INT_MAX) s->copies = (int)copies;
    double with = meta_json_get(settings, "with");
    if (with > 0 && with < INT_MAX) s->with = (int)with;
    read_temper(s, member(settings, "temper"));
    return s->cfg && s->weights && s->method && s->settings ? 0 : meta_fail_memory(error);
}

static int read_result(struct meta_scores *s, const cJSON *root, struct meta_error *error)
{
    if (!is_result(root))
        return meta_fail(error, "%s: is not a result of `darknet meta test -out`, format %d or %d",
                         s->path, META_RESULTS_BY_PATH, META_RESULTS_FORMAT);
    if (meta_json_check(root, s->path, meta_result_rules, error)) return -1;
    s->by_path = meta_json_get(root, "format") == META_RESULTS_BY_PATH;
    s->diverged = (int)fmax(0, meta_json_get(root, "diverged")); /* not there: none has */
    return read_names(s, root, error) || read_tasks(s, member(root, "tasks"), error)
            || read_groups(s, member(root, "other_groups"), error)
        ? -1
        : 0;
}

int meta_scores_read(struct meta_scores *s, const char *path, struct meta_error *error)
{
    cJSON *root = NULL;
    memset(s, 0, sizeof *s);
    s->path = strdup(path);
    int status = s->path ? meta_json_read(&root, path, error) : meta_fail_memory(error);
    if (!status) status = read_result(s, root, error);
    cJSON_Delete(root);
    if (status) meta_scores_clear(s);
    return status;
}

void meta_scores_clear(struct meta_scores *s)
{
    free(s->path);
    free(s->cfg);
    free(s->weights);
    free(s->method);
    free(s->settings);
    free(s->before);
    free(s->after);
    free(s->accuracy);
    free(s->images);
    meta_by_group_clear(&s->groups);
    memset(s, 0, sizeof *s);
}

static int check_pairing(const struct meta_scores *a, const struct meta_scores *b,
                         struct meta_error *error)
{
    if (strcmp(a->settings, b->settings))
        return meta_fail(error, "%s and %s can't be paired: %s against %s", a->path, b->path,
                         a->settings, b->settings);
    if (a->count != b->count)
        return meta_fail(error, "%s and %s can't be paired: %d tasks against %d", a->path, b->path,
                         a->count, b->count);
    if (a->by_path != b->by_path)
        return meta_fail(error,
                         "%s and %s can't be paired: %s tells images by their paths, as version "
                         "1.0 "
                         "of this program did, not by what is in them: test its weights again",
                         a->path, b->path, a->by_path ? a->path : b->path);
    for (int i = 0; i < a->count; i++)
        if (!meta_digest_equal(a->images[i], b->images[i]))
            return meta_fail(error, "%s and %s can't be paired: task %d has other images", a->path,
                             b->path, i);
    return 0;
}

/* Widens the difference over tasks by that of groups, when both results have them. */
static int difference_by_group(const struct meta_scores *a, const struct meta_scores *b,
                               struct meta_estimate tasks, struct meta_estimate *out,
                               struct meta_error *error)
{
    *out = meta_estimate_with(tasks.mean, NAN, 0);
    const struct meta_by_group *x = &a->groups, *y = &b->groups;
    if (!x->count || !y->count) return 0;
    if (x->count != y->count || !meta_digest_equal(a->same_groups, b->same_groups))
        return meta_fail(error, "%s and %s can't be paired: their images are in other groups",
                         a->path, b->path);
    size_t n = (size_t)x->count;
    struct meta_by_group d = { .tasks = x->tasks,
                               .count = x->count,
                               .label = x->label,
                               .query = malloc(n * sizeof *d.query),
                               .part = malloc(META_PARTS * n * sizeof *d.part) };
    int status = d.query && d.part ? 0 : meta_fail_memory(error);
    for (size_t i = 0; i < n && !status; i++) d.query[i] = y->query[i] - x->query[i];
    for (size_t i = 0; i < META_PARTS * n && !status; i++) d.part[i] = y->part[i] - x->part[i];
    if (!status) status = meta_by_group_estimate(out, tasks, &d, error);
    free(d.query);
    free(d.part);
    return status;
}

int meta_scores_difference(const struct meta_scores *a, const struct meta_scores *b,
                           struct meta_difference *d, struct meta_error *error)
{
    if (check_pairing(a, b, error)) return -1;
    double *difference = malloc(((size_t)a->count + 1) * sizeof *difference);
    if (!difference) return meta_fail_memory(error);
    for (int i = 0; i < a->count; i++) difference[i] = b->after[i] - a->after[i];
    int status = meta_bootstrap(&d->tasks, difference, a->count, META_RESAMPLES, 1, error);
    struct meta_estimate tasks = meta_estimate(difference, sizeof *difference, a->count);
    for (int i = 0; i < a->count; i++) difference[i] = b->accuracy[i] - a->accuracy[i];
    if (!status)
        status = meta_bootstrap(&d->accuracy, difference, a->count, META_RESAMPLES, 1, error);
    free(difference);
    return status ? -1 : difference_by_group(a, b, tasks, &d->other_groups, error);
}

const char *meta_difference_word(double low, double high, const char *above, const char *below,
                                 const char *neither)
{
    return low > 0 ? above : high < 0 ? below : neither;
}

const char *meta_paired_word(double low, double high)
{
    return meta_difference_word(low, high, "better", "worse", "no difference seen");
}
