/* Reads `groups`, the CSV that says which images belong together. */
#include "groups_internal.h"
#include "base/lines.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct row {
    char *image, *group;
    int line;
};

static int by_image(const void *a, const void *b)
{
    const struct row *p = a, *q = b;
    int order = strcmp(p->image, q->image);
    return order ? order : (p->line > q->line) - (p->line < q->line);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *trim(char *s)
{
    char *end = s + strlen(s);
    while (end > s && strchr(" \t", end[-1])) *--end = 0;
    return s + strspn(s, " \t");
}

/* A line is image,group[,more...]; the first line may be a header, whose first word is "image". */
static int parse(const char *path, char *text, int line, struct row *row, struct meta_error *error)
{
    char *comma = strchr(text, ',');
    if (!comma) return meta_fail(error, "%s:%d: has no comma: must be image,group", path, line);
    *comma = 0;
    char *group = comma + 1, *rest = strchr(group, ',');
    if (rest) *rest = 0;
    *row = (struct row){ trim(text), trim(group), line };
    if (!*row->image || !*row->group)
        return meta_fail(error, "%s:%d: no %s: must be image,group", path, line,
                         *row->image ? "group" : "image");
    if (strchr(row->image, '"') || strchr(row->group, '"'))
        return meta_fail(error, "%s:%d: has a quotation mark: must be image,group without quotes",
                         path, line);
    return 0;
}

static const struct row *search(const struct row *rows, int count, const char *name, size_t length)
{
    for (int low = 0, high = count; low < high;) {
        int middle = low + (high - low) / 2, order = strncmp(rows[middle].image, name, length);
        if (!order && rows[middle].image[length]) order = 1;
        if (!order) return &rows[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

/* data/MEL/ISIC_1.jpg is in the row of ISIC_1, or in that of ISIC_1.jpg. */
static const struct row *row_of(const struct row *rows, int count, const char *image)
{
    const char *name = meta_path_base(image);
    size_t stem = meta_path_stem_length(image), length = strlen(name);
    const struct row *row = stem < length ? search(rows, count, name, stem) : NULL;
    return row ? row : search(rows, count, name, length);
}

int meta_groups_find(const struct meta_data *data, const char *list, char *const *images, int count,
                     int *group, struct meta_error *error)
{
    const char *path = data->groups;
    struct meta_lines lines;
    struct row *rows = NULL;
    char **names = NULL;
    int n = 0, distinct = 0, known = 0;
    if (meta_lines_read(&lines, path, error)) return meta_data_blame(data, path, error);
    rows = malloc((lines.count + 1) * sizeof *rows);
    names = malloc((lines.count + 1) * sizeof *names);
    if (!rows || !names) {
        meta_fail_memory_for(error, path);
        goto fail;
    }
    for (int i = 0; i < lines.count; i++) {
        if (parse(path, lines.line[i], lines.number[i], &rows[n], error)) goto fail;
        if (i || strcasecmp(rows[n].image, "image")) n++;
    }
    qsort(rows, n, sizeof *rows, by_image);
    for (int i = 1; i < n; i++)
        if (!strcmp(rows[i].image, rows[i - 1].image) && strcmp(rows[i].group, rows[i - 1].group)) {
            meta_fail(error, "%s:%d: %s is in group %s, but on line %d in group %s: must be in one",
                      path, rows[i].line, rows[i].image, rows[i].group, rows[i - 1].line,
                      rows[i - 1].group);
            goto fail;
        }
    for (int i = 0; i < n; i++) names[i] = rows[i].group;
    qsort(names, n, sizeof *names, by_text);
    for (int i = 0; i < n; i++)
        if (!distinct || strcmp(names[i], names[distinct - 1])) names[distinct++] = names[i];
    for (int i = 0; i < count; i++) {
        const struct row *row = row_of(rows, n, images[i]);
        char **found = row ? bsearch(&row->group, names, distinct, sizeof *names, by_text) : NULL;
        group[i] = found ? (int)(found - names) : -1;
        known += found != NULL;
    }
    if (!known) {
        meta_fail(error,
                  "%s: names none of the %d images of %s, such as %s: must be image,group, an "
                  "image by its file's name without folder; one "
                  "that belongs to no other in a group of its own",
                  path, count, list, images[0]);
        goto fail;
    }
    free(rows);
    free(names);
    meta_lines_free(&lines);
    return 0;
fail:
    free(rows);
    free(names);
    meta_lines_free(&lines);
    return -1;
}
