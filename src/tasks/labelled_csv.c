/* Reads a CSV of image, class and group. */
#define _GNU_SOURCE
#include "labelled_internal.h"
#include "base/csv.h"
#include "base/lines.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_COLUMNS 64

enum { IMAGE, CLASS, GROUP, COLUMNS };
static const char *const column_names[COLUMNS] = { "image", "class", "group" };

/* Where the columns stand; -1: there is none. */
struct columns {
    int at[COLUMNS];
};

/* Whether the record is a header, which names the columns. */
static int is_header(struct columns *c, char *const *field, int fields)
{
    struct columns named = { { -1, -1, -1 } };
    for (int i = fields - 1; i >= 0; i--)
        for (int k = 0; k < COLUMNS; k++)
            if (!strcasecmp(field[i], column_names[k])) named.at[k] = i;
    if (named.at[IMAGE] < 0) return 0;
    *c = named;
    return 1;
}

/* Keeps the names of the columns that are not read, one of which may be meant for the groups. */
static int keep_unread(struct meta_labelled_reader *r, const struct columns *c, char *const *field,
                       int fields)
{
    struct meta_text text;
    int count = 0;
    if (meta_text_begin(&text, r->error)) return -1;
    for (int i = 0; i < fields; i++)
        if (*field[i] && i != c->at[IMAGE] && i != c->at[CLASS])
            fprintf(text.file, "%s%s", count++ ? ", " : "", field[i]);
    if (meta_text_end(&text, 0, &r->set->unread, r->error)) return -1;
    if (count) return 0;
    free(r->set->unread);
    r->set->unread = NULL;
    return 0;
}

/* The path of an image as the program opens it; NULL: no memory. */
static char *path_of(const char *root, const char *field)
{
    char *path;
    while (field[0] == '.' && field[1] == '/') field += 2 + strspn(field + 2, "/");
    if (*field == '/' || !*root) return strdup(field);
    return asprintf(&path, "%s%s%s", root, strcmp(root, "/") ? "/" : "", field) < 0 ? NULL : path;
}

static int add_row(struct meta_labelled_reader *r, const struct columns *c, char *const *field,
                   int fields, int line)
{
    const char *text[COLUMNS];
    for (int k = 0; k < COLUMNS; k++)
        text[k] = c->at[k] >= 0 && c->at[k] < fields ? field[c->at[k]] : "";
    for (int k = IMAGE; k <= CLASS; k++)
        if (!*text[k])
            return meta_fail(r->error,
                             "%s:%d: no %s: must have an image and its class, and may have a group",
                             r->set->from, line, column_names[k]);
    struct meta_labelled_image image = { path_of(r->set->root, text[IMAGE]), strdup(text[CLASS]),
                                         NULL, line };
    if (*text[GROUP] && !(image.group = strdup(text[GROUP]))) {
        free(image.class);
        image.class = NULL;
    }
    return meta_labelled_add(r, image);
}

/* A first line of other words than ours would be an image of a class of its own: a word is no
   image that is not there. */
static int check_first(const struct meta_labelled_reader *r)
{
    const struct meta_labelled_image *image = &r->images[r->count - 1];
    if (strchr(meta_path_base(image->path), '.') || !access(image->path, F_OK)) return 0;
    return meta_fail(r->error,
                     "%s:%d: %s: %s: must be an image, or a first line that calls the columns "
                     "image and class",
                     r->set->from, image->line, image->path, strerror(errno));
}

static int read_rows(struct meta_labelled_reader *r, char *start)
{
    struct meta_csv csv = meta_csv_start(r->set->from, start, "image");
    struct columns columns = { { IMAGE, CLASS, GROUP } };
    for (int first = 1;; first = 0) {
        char *field[MOST_COLUMNS];
        int fields, line;
        if (meta_csv_next(&csv, field, MOST_COLUMNS, &fields, &line, r->error)) return -1;
        if (!fields) break;
        int all = fields;
        if (fields > MOST_COLUMNS) fields = MOST_COLUMNS;
        if (!first || !is_header(&columns, field, fields)) {
            if (add_row(r, &columns, field, fields, line) || (first && check_first(r))) return -1;
        } else if (all > MOST_COLUMNS && (columns.at[CLASS] < 0 || columns.at[GROUP] < 0))
            return meta_fail(r->error,
                             "%s:%d: names %d columns: image, class and group must be among the "
                             "first %d",
                             r->set->from, line, all, MOST_COLUMNS);
        else if (columns.at[CLASS] < 0)
            return meta_fail(r->error,
                             "%s:%d: names no column class: must name image and class, and may "
                             "name "
                             "group",
                             r->set->from, line);
        else if (columns.at[GROUP] < 0 && keep_unread(r, &columns, field, fields)) return -1;
    }
    if (r->count) return 0;
    return meta_fail(r->error, "%s: has no images: must have an image and its class on each line",
                     r->set->from);
}

int meta_labelled_read_csv(struct meta_labelled_reader *r)
{
    char *bytes, *start;
    struct meta_labelled *l = r->set;
    if (!(l->root = meta_path_folder(l->from))) return meta_fail_memory_for(r->error, l->from);
    if (!strcmp(l->root, ".")) *l->root = 0;
    if (meta_lines_text(l->from, &bytes, &start, r->error)) return -1;
    int status = read_rows(r, start);
    free(bytes);
    return status;
}
