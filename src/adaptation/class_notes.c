/* Writes, reads and checks the comments of a .cfg that name its classes in their order. */
#include "class_notes.h"
#include "base/note.h"
#include "base/path.h"
#include "base/plural.h"
#include "own_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void meta_class_notes(FILE *f, const struct meta_data *data)
{
    for (int k = 0; k < data->classes; k++) fprintf(f, "\nclass %d %s", k, data->names[k]);
}

/* Keeps of the lines the names of the classes. Comments of other .cfg files are people's. */
static int keep_names(struct meta_lines *lines, const char *cfg, struct meta_error *error)
{
    int count = lines->count;
    lines->count = 0;
    if (!count || !meta_own_line(lines->line[0])) return 0;
    for (int i = 0; i < count; i++) {
        const char *note = meta_note(lines->line[i], "class");
        char *end;
        if (!note || !isdigit((unsigned char)*note)) continue;
        long class = strtol(note, &end, 10);
        if (*end != ' ') continue;
        if (class != lines->count)
            return meta_fail(error, "%s:%d: class %ld: must be class %d, as each class has a line",
                             cfg, lines->number[i], class, lines->count);
        lines->line[lines->count++] = end + 1;
    }
    return 0;
}

int meta_class_notes_read(struct meta_lines *names, const char *cfg, int classes,
                          struct meta_error *error)
{
    if (meta_lines_read(names, cfg, error)) return -1;
    int status = keep_names(names, cfg, error);
    if (!status && names->count && names->count != classes)
        status = meta_fail(error,
                           "%s: names %d class%s: must be %d, the probabilities that it gives", cfg,
                           names->count, meta_plural_es(names->count), classes);
    if (status) meta_lines_free(names);
    return status;
}

int meta_class_order_same(const struct meta_class_order *own, const struct meta_class_order *known,
                          struct meta_error *error)
{
    for (int k = 0; k < own->classes; k++)
        if (strcmp(own->names[k], known->names[k]))
            return meta_fail(error, "%s: class %d is %s, but in %s it is %s: must be in one order",
                             own->path, k, own->names[k], known->path, known->names[k]);
    return 0;
}

int meta_class_order_turned(const struct meta_class_order *own,
                            const struct meta_class_order *known, struct meta_error *error)
{
    for (int k = 0; k < own->classes; k++)
        for (int other = 0; other < known->classes; other++)
            if (!strcmp(own->names[k], known->names[other])
                && strcmp(own->names[k], known->names[k]) != 0)
                return meta_fail(error,
                                 "%s: class %d is %s, but in %s it is class %d: must be in one "
                                 "order",
                                 own->path, k, own->names[k], known->path, other);
    return 0;
}

static int check_names_alike(const struct meta_class_order *own,
                             const struct meta_class_order *known, struct meta_error *error)
{
    for (int k = 0; k < own->classes; k++)
        if (strcmp(own->names[k], known->names[k]) != 0)
            return meta_fail(error,
                             "%s: calls class %d of %s, %s, %s: answers have the names of %s",
                             own->path, k, known->path, known->names[k], own->names[k], own->path);
    return 0;
}

/* Compares the names with those of the .cfg, where it has some. */
static int compare_cfg(const struct meta_class_order *own, const char *cfg,
                       int (*compare)(const struct meta_class_order *,
                                      const struct meta_class_order *, struct meta_error *),
                       struct meta_error *error)
{
    struct meta_lines names;
    if (meta_class_notes_read(&names, cfg, own->classes, error)) return -1;
    const struct meta_class_order known = { cfg, names.line, own->classes };
    int status = names.count ? compare(own, &known, error) : 0;
    meta_lines_free(&names);
    return status;
}

static int check_cfg(const struct meta_class_order *own, const char *cfg, struct meta_error *error)
{
    return compare_cfg(own, cfg, meta_class_order_turned, error);
}

static int check_cfg_alike(const struct meta_class_order *own, const char *cfg,
                           struct meta_error *error)
{
    return compare_cfg(own, cfg, check_names_alike, error);
}

/* A NAME.data whose files are not found is one of a classifier that was moved. */
static int check_data(const struct meta_class_order *own, const char *path,
                      struct meta_error *error)
{
    struct meta_data *data;
    struct meta_error ignored;
    if (meta_data_read(&data, path, &ignored)) return 0;
    const struct meta_class_order known = { path, data->names, own->classes };
    int status = data->classes == own->classes ? meta_class_order_turned(own, &known, error) : 0;
    meta_data_free(data);
    return status;
}

/* Checks by the file of that extension beside `path`, where it is there. */
static int check_beside(const struct meta_class_order *own, const char *path, const char *extension,
                        int (*check)(const struct meta_class_order *, const char *,
                                     struct meta_error *),
                        struct meta_error *error)
{
    char *beside = meta_path_beside(path, extension);
    if (!beside) return meta_fail_memory(error);
    int status = access(beside, R_OK) ? 0 : check(own, beside, error);
    free(beside);
    return status;
}

int meta_class_notes_check(const struct meta_class_order *own, const struct meta_class_files *files,
                           struct meta_error *error)
{
    if (check_cfg(own, files->cfg, error)) return -1;
    for (int i = 0; i < files->count; i++)
        if (check_beside(own, files->weights[i], ".cfg", check_cfg, error)) return -1;
    return check_beside(own, files->cfg, ".data", check_data, error);
}

int meta_class_notes_alike(const struct meta_class_order *own, const struct meta_class_files *files,
                           struct meta_error *error)
{
    if (check_cfg_alike(own, files->cfg, error)) return -1;
    for (int i = 0; i < files->count; i++)
        if (check_beside(own, files->weights[i], ".cfg", check_cfg_alike, error)) return -1;
    return 0;
}
