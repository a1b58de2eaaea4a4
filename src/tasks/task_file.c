/* Reads a task that is written out in a file, and its images. */
#include "task_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"
#include "base/lines.h"

struct item {
    int line, query, label;
    const char *path;
};

/* The end of a word; what follows it, if anything, is a blank. */
static const char *word_end(const char *p)
{
    while (*p && !isspace((unsigned char)*p)) p++;
    return p;
}

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p)) p++;
    return p;
}

static int is_word(const char *p, const char *end, const char *word)
{
    size_t length = (size_t)(end - p);
    return length == strlen(word) && !strncmp(p, word, length);
}

/* text: the line, without blanks at its end. */
static int parse_line(struct item *item, const char *text, int ways, struct meta_error *error)
{
    const char *end = word_end(text);
    if (is_word(text, end, "query")) item->query = 1;
    else if (!is_word(text, end, "support"))
        return meta_fail(error, "%.*s: must be support or query",
                         (int)(end - text > 60 ? 60 : end - text), text);
    const char *label = skip_blanks(end), *label_end = word_end(label);
    char *number_end;
    long value = strtol(label, &number_end, 10);
    if (label == label_end)
        return meta_fail(error, "no label: a line is support LABEL PATH or query LABEL PATH");
    if (number_end != label_end || value < 0 || value >= ways)
        return meta_fail(error, "label %.*s: must be 0 to %d",
                         (int)(label_end - label > 60 ? 60 : label_end - label), label, ways - 1);
    item->label = (int)value;
    item->path = skip_blanks(label_end);
    if (!*item->path)
        return meta_fail(error, "no path: a line is support LABEL PATH or query LABEL PATH");
    return 0;
}

static void cut_blanks(char *text)
{
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1])) text[--n] = 0;
}

static size_t image_numbers(const struct meta_net_settings *net)
{
    return (size_t)net->channels * (size_t)net->height * (size_t)net->width;
}

static int allocate(struct meta_task_file *task, const struct meta_net_settings *net,
                    struct meta_error *error)
{
    size_t size = image_numbers(net), support = (size_t)task->support, query = (size_t)task->query;
    task->support_images = calloc(support, size * sizeof *task->support_images);
    task->support_labels = calloc(support, sizeof *task->support_labels);
    task->query_images = calloc(query, size * sizeof *task->query_images);
    task->query_labels = calloc(query, sizeof *task->query_labels);
    if (task->support_images && task->support_labels && task->query_images && task->query_labels)
        return 0;
    return meta_fail(error, "out of memory for %d images", task->support + task->query);
}

static int load_items(struct meta_task_file *task, const struct item *items, int count,
                      const struct meta_task_source *source, struct meta_error *error)
{
    const struct meta_net_settings *net = source->net;
    size_t size = image_numbers(net), at[2] = { 0, 0 };
    struct meta_error why;
    if (allocate(task, net, error)) return -1;
    for (int i = 0; i < count; i++) {
        int query = items[i].query;
        size_t k = at[query]++;
        (query ? task->query_labels : task->support_labels)[k] = items[i].label;
        if (meta_view_file(items[i].path, source->data, net,
                           (query ? task->query_images : task->support_images) + k * size, &why))
            return meta_fail(error, "%s:%d: %s", source->path, items[i].line, why.text);
    }
    return 0;
}

int meta_task_file_read(struct meta_task_file *task, const struct meta_task_source *source,
                        int ways, struct meta_error *error)
{
    const char *path = source->path;
    struct meta_lines lines;
    struct meta_error why;
    int count = 0, status = -1;
    *task = (struct meta_task_file){ 0 };
    if (meta_lines_read(&lines, path, error)) return -1;
    struct item *items = calloc((size_t)lines.count + 1, sizeof *items);
    if (!items) {
        meta_fail_memory_for(error, path);
        goto fail;
    }
    for (int i = 0; i < lines.count; i++) {
        cut_blanks(lines.line[i]);
        const char *text = skip_blanks(lines.line[i]);
        if (*text == '#') continue;
        items[count].line = lines.number[i];
        if (parse_line(&items[count], text, ways, &why)) {
            meta_fail(error, "%s:%d: %s", path, lines.number[i], why.text);
            goto fail;
        }
        if (items[count++].query) task->query++;
        else task->support++;
    }
    if (!task->support || !task->query) {
        meta_fail(error, "%s: has %d support and %d query images: must have at least one of each",
                  path, task->support, task->query);
        goto fail;
    }
    status = load_items(task, items, count, source, error);
fail:
    free(items);
    meta_lines_free(&lines);
    return status;
}

void meta_task_file_free(struct meta_task_file *task)
{
    free(task->support_images);
    free(task->support_labels);
    free(task->query_images);
    free(task->query_labels);
    *task = (struct meta_task_file){ 0 };
}
