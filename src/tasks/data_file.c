/* Reads a .data file, and the lists of names and labels that it points to. */
#include "data_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/path.h"
#include "class_names.h"
#include "config/options.h"
#include "labelled.h"
#include "own_data.h"

static const char *const keys[] = { "train", "valid", "test", "backup",
                                    "groups" }; /* keys whose paths are kept as they are */

struct settings {
    int classes, top, range, decode;
    char *names, *labels, *train, *valid, *test, *backup, *groups, *cache;
};

/* clang-format off */
#define TEXT(key, help) { #key, META_TEXT, 0, 0, 0, NULL, offsetof(struct settings, key), help }
/* clang-format on */
static const struct meta_option table[] = {
    { "classes", META_INT, 0, 1, META_CLASSES_MOST, NULL, offsetof(struct settings, classes),
      "classes in labels" },
    { "top", META_INT, 1, 1, 1000000, NULL, offsetof(struct settings, top),
      "guesses that the stock `classifier valid` counts; nothing here looks at it" },
    { "range", META_INT, 0, 1, 65535, NULL, offsetof(struct settings, range),
      "value of white in files of 16-bit samples, as 4095 of 12-bit cameras (65535)" },
    { "decode", META_CHOICE, META_DECODE_SCALED, 0, 0, "scaled|full",
      offsetof(struct settings, decode),
      "JPEG files larger than needed: at 1/2, 1/4 or 1/8 of their size, or in full" },
    TEXT(names, "file of the classes' names for people, one a line"),
    TEXT(labels,
         "file of the classes' labels, one a line: an image is of the class whose label is "
         "part of its path"),
    TEXT(train, "list of image paths to train on"),
    TEXT(valid, "list that training may watch"),
    TEXT(test, "list to test on"),
    TEXT(backup, "folder for weights"),
    TEXT(cache,
         "folder for the decoded images of lists, which later starts take from there, or off "
         "(beside each list)"),
    TEXT(groups, "CSV of image,group: images of one group are never on both sides of a task"),
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static const struct meta_pair *find(const struct meta_section *section, const char *key)
{
    for (int i = 0; i < section->count; i++)
        if (!strcmp(section->pairs[i].key, key)) return &section->pairs[i];
    return NULL;
}

/* Reads one text for each class from `list`, the file that `key` names. */
static int class_texts(char ***texts, const struct meta_data *data,
                       const struct meta_section *section, const char *key, const char *list,
                       struct meta_error *error)
{
    struct meta_lines lines;
    struct meta_error why;
    if (meta_lines_read(&lines, list, &why))
        return meta_fail(error, "%s:%d: %s: %s", data->path, find(section, key)->line, key,
                         why.text);
    if (lines.count != data->classes) {
        meta_fail(error, "%s:%d: classes=%d, but %s has %d %s: must be the same number", data->path,
                  find(section, "classes")->line, data->classes, list, lines.count, key);
        goto fail;
    }
    if (!(*texts = calloc((size_t)data->classes, sizeof **texts))) {
        meta_fail_memory_for(error, list);
        goto fail;
    }
    for (int i = 0; i < data->classes; i++)
        if (!((*texts)[i] = strdup(lines.line[i]))) {
            meta_fail_memory_for(error, list);
            goto fail;
        }
    meta_lines_free(&lines);
    return 0;
fail:
    meta_lines_free(&lines);
    return -1;
}

int meta_data_read(struct meta_data **out, const char *path, struct meta_error *error)
{
    struct meta_cfg *file = NULL;
    struct meta_data *data = calloc(1, sizeof *data);
    struct settings s = { 0 };
    if (!data || !(data->path = strdup(path))) {
        meta_fail_memory_for(error, path);
        goto fail;
    }
    if (meta_data_file_read(&file, path, error)) goto fail;
    const struct meta_section *section = file->sections;
    if (meta_options_parse(table, section, path, &s, error)) goto fail;
    if (s.names && meta_own_data_names(&s.names, path, find(section, "names")->line, error))
        goto fail;
    if (!find(section, "classes")) {
        meta_fail(error, "%s: classes is missing: must be the number of classes", path);
        goto fail;
    }
    if (!s.labels && !s.names) {
        meta_data_need_labels(data, error);
        goto fail;
    }
    data->classes = s.classes;
    data->range = s.range;
    data->decode = s.decode;
    data->cache = s.cache; /* handed over */
    s.cache = NULL;
    if (data->cache) meta_path_trim(data->cache);
    if (s.labels && class_texts(&data->labels, data, section, "labels", s.labels, error)) goto fail;
    const char *key = s.names ? "names" : "labels", *list = s.names ? s.names : s.labels;
    if (class_texts(&data->names, data, section, key, list, error)
        || meta_class_names_tell_apart(data->names, data->classes, error))
        goto fail;
    char **from[] = { &s.train, &s.valid, &s.test, &s.backup, &s.groups };
    char **to[] = { &data->train, &data->valid, &data->test, &data->backup, &data->groups };
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) { /* handed over */
        const struct meta_pair *pair = find(section, keys[i]);
        *to[i] = *from[i];
        *from[i] = NULL;
        data->line[i] = pair ? pair->line : 0;
    }
    meta_options_clear(table, &s);
    meta_cfg_free(file);
    *out = data;
    return 0;
fail:
    meta_options_clear(table, &s);
    meta_cfg_free(file);
    meta_data_free(data);
    return -1;
}

int meta_data_need_labels(const struct meta_data *data, struct meta_error *error)
{
    if (data->labels) return 0;
    return meta_fail(error,
                     "%s: labels is missing: must name a file with one label a line, each a part "
                     "of the paths of its class",
                     data->path);
}

int meta_data_blame(const struct meta_data *data, const char *path, struct meta_error *error)
{
    const char *paths[] = { data->train, data->valid, data->test, data->backup, data->groups };
    struct meta_error why = *error;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (path && paths[i] == path)
            return data->path
                ? meta_fail(error, "%s:%d: %s: %s", data->path, data->line[i], keys[i], why.text)
                : meta_fail(error, "-%s %s", keys[i], why.text);
    return -1;
}

void meta_data_free(struct meta_data *data)
{
    if (!data) return;
    for (int i = 0; i < data->classes; i++) {
        if (data->names) free(data->names[i]);
        if (data->labels) free(data->labels[i]);
    }
    meta_labelled_free(data->labelled);
    free(data->names);
    free(data->labels);
    free(data->path);
    free(data->train);
    free(data->valid);
    free(data->test);
    free(data->backup);
    free(data->groups);
    free(data->cache);
    free(data);
}
