/* Reads `groups`, the CSV that says which images belong together, and finds the images' rows. */
#include "groups.h"
#include "list_place.h"
#include "base/csv.h"
#include "base/lines.h"
#include "base/path.h"
#include "images/image_place.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- reading --------------------------------------------------------------------------------- */

/* The columns of the CSV that are read. */
struct columns {
    int image, group;
    int named; /* by the first row */
};
enum { MOST_FIELDS = 64 };

static int by_image(const void *a, const void *b)
{
    const struct meta_group_row *p = a, *q = b;
    int order = strcmp(p->base, q->base);
    if (!order) order = strcmp(p->image, q->image);
    return order ? order : (p->line > q->line) - (p->line < q->line);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes "./" off the front. */
static char *without_dot(char *path)
{
    while (path[0] == '.' && path[1] == '/') path += 2 + strspn(path + 2, "/");
    return path;
}

static int check_row(const struct meta_groups *g, const struct meta_group_row *row, int fields,
                     struct meta_error *error)
{
    if (fields < 2)
        return meta_fail(error, "%s:%d: has one field: must be image,group", g->path, row->line);
    if (!*row->image || !*row->group)
        return meta_fail(error, "%s:%d: no %s: must be image,group", g->path, row->line,
                         *row->image ? "group" : "image");
    if (!*row->base)
        return meta_fail(error, "%s:%d: %s: is a folder: must be an image", g->path, row->line,
                         row->image);
    return 0;
}

/* The place of a column in the first row; -1: it is not among the first MOST_FIELDS. */
static int column(char *const *field, int fields, const char *name)
{
    for (int i = 0; i < fields && i < MOST_FIELDS; i++)
        if (!strcasecmp(field[i], name)) return i;
    return -1;
}

/* What a second column of groups among others is called, without one that is called group. */
static int is_of_groups(const char *name)
{
    static const char *const known[] = { "lesion_id", "lesion", "patient", "patient_id" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(name, known[i])) return 1;
    return 0;
}

static int fail_head(const struct meta_groups *g, char *const *field, int fields, int line,
                     struct meta_error *error)
{
    char names[200] = "";
    if (fields < 3)
        return meta_fail(error, "%s:%d: names no column group: must be image,group", g->path, line);
    for (int i = 0; i < fields && i < MOST_FIELDS; i++) {
        size_t used = strlen(names);
        if (used + strlen(field[i]) + 6 > sizeof names) {
            strcpy(names + used, used ? ", ..." : "...");
            break;
        }
        sprintf(names + used, "%s%s", i ? ", " : "", field[i]);
    }
    return meta_fail(error,
                     "%s:%d: has columns %s: must have one called group, or, behind image, "
                     "lesion_id, lesion, patient or patient_id",
                     g->path, line, names);
}

/* A first row with the word "image" names the columns; without "group" that of the groups is the
   second, unless it is one of classes, or one of others among more. */
static int read_head(struct meta_groups *g, struct columns *c, char *const *field, int fields,
                     int line, struct meta_error *error)
{
    *c = (struct columns){ 0, 1, 0 };
    int image = column(field, fields, "image"), group = column(field, fields, "group");
    if (image < 0 && (fields > 2 || group >= 0)) g->unnamed = line;
    if (image < 0) return 0;
    *c = (struct columns){ image, group < 0 ? 1 : group, 1 };
    if (group >= 0) return 0;
    int second = !image && fields > 1
        && (fields == 2 ? strcasecmp(field[1], "class") != 0 : is_of_groups(field[1]));
    return second ? 0 : fail_head(g, field, fields, line, error);
}

static int read_rows(struct meta_groups *g, char *start, struct meta_error *error)
{
    struct meta_csv csv = meta_csv_start(g->path, start, "image");
    struct columns columns;
    int room = 0;
    for (int first = 1;; first = 0) {
        char *field[MOST_FIELDS] = { NULL };
        int fields, line;
        if (meta_csv_next(&csv, field, MOST_FIELDS, &fields, &line, error)) return -1;
        if (!fields) return 0;
        if (first && read_head(g, &columns, field, fields, line, error)) return -1;
        if (first && columns.named) continue;
        if (g->count == room) {
            room = room ? 2 * room : 1024;
            struct meta_group_row *grown = realloc(g->rows, (size_t)room * sizeof *grown);
            if (!grown) return meta_fail_memory_for(error, g->path);
            g->rows = grown;
        }
        char *image = without_dot(columns.image < fields ? field[columns.image] : "");
        char *group = columns.group < fields ? field[columns.group] : "";
        struct meta_group_row *row = &g->rows[g->count];
        *row = (struct meta_group_row){ image, meta_path_base(image), group, line, 0 };
        if (check_row(g, row, fields, error)) return -1;
        g->count++;
    }
}

static int number_groups(struct meta_groups *g, struct meta_error *error)
{
    if (!(g->name = malloc(((size_t)g->count + 1) * sizeof *g->name)))
        return meta_fail_memory_for(error, g->path);
    for (int i = 0; i < g->count; i++) g->name[i] = g->rows[i].group;
    qsort(g->name, (size_t)g->count, sizeof *g->name, by_text);
    for (int i = 0; i < g->count; i++)
        if (!g->names || strcmp(g->name[i], g->name[g->names - 1]))
            g->name[g->names++] = g->name[i];
    for (int i = 0; i < g->count; i++) {
        char **found = bsearch(&g->rows[i].group, g->name, (size_t)g->names, sizeof *g->name,
                               by_text);
        g->rows[i].number = (int)(found - g->name);
    }
    return 0;
}

int meta_groups_read(struct meta_groups *g, const struct meta_data *data, struct meta_error *error)
{
    char *start;
    *g = (struct meta_groups){ .path = data->groups, .data = data };
    if (meta_lines_text(g->path, &g->text, &start, error)) {
        g->text = NULL;
        return meta_data_blame(data, g->path, error);
    }
    if (read_rows(g, start, error) || number_groups(g, error)) goto fail;
    if (!g->count) return 0;
    qsort(g->rows, (size_t)g->count, sizeof *g->rows, by_image);
    for (const struct meta_group_row *r = g->rows + 1; r < g->rows + g->count; r++) {
        if (strcmp(r->image, r[-1].image) || r->number == r[-1].number) continue;
        meta_fail(error, "%s:%d: %s is in group %s, but on line %d in group %s: must be in one",
                  g->path, r->line, r->image, r->group, r[-1].line, r[-1].group);
        goto fail;
    }
    return 0;
fail:
    meta_groups_free(g);
    return -1;
}

void meta_groups_free(struct meta_groups *g)
{
    free(g->text);
    free(g->rows);
    free(g->name);
    *g = (struct meta_groups){ 0 };
}

/* ---- finding --------------------------------------------------------------------------------- */

/* The first row whose base is the `length` bytes at `name`; count: there is none. */
static int search(const struct meta_groups *g, const char *name, size_t length)
{
    int low = 0, high = g->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strncmp(g->rows[middle].base, name, length) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int is_base(const struct meta_group_row *row, const char *name, size_t length)
{
    return !strncmp(row->base, name, length) && !row->base[length];
}

/* How many folders before their names the two paths agree in, where one of them is then at its
   front; -1: they lie in different folders. */
static int folders_alike(const struct meta_group_row *row, const char *path)
{
    const char *a = row->base, *b = meta_path_base(path);
    for (int alike = 0;; alike++) {
        if (a == row->image || b == path) return alike;
        const char *p = --a, *q = --b; /* their slashes */
        while (p > row->image && p[-1] != '/') p--;
        while (q > path && q[-1] != '/') q--;
        if (a - p != b - q || memcmp(p, q, (size_t)(a - p))) return -1;
        a = p;
        b = q;
    }
}

/* The best row of an image so far. */
struct best {
    const struct meta_group_row *row, *rival; /* rival: as good, of another group */
    int alike;
};

static void look(struct best *best, const struct meta_groups *g, const char *path, size_t length)
{
    const char *name = meta_path_base(path);
    for (int i = search(g, name, length); i < g->count && is_base(&g->rows[i], name, length); i++) {
        const struct meta_group_row *row = &g->rows[i];
        int alike = folders_alike(row, path);
        if (alike < 0 || alike < best->alike) continue;
        if (alike > best->alike) *best = (struct best){ row, NULL, alike };
        else if (row->number != best->row->number) best->rival = row;
    }
}

/* A row of the image's whole name comes before one of its file, and that before one without its
   extension, which may be the whole name of another file: x.jpg beside x.jpg.png. */
static struct best best_of(const struct meta_groups *g, const char *path)
{
    const char *name = meta_path_base(path);
    const size_t lengths[] = { strlen(name), meta_image_place_length(name),
                               meta_image_stem_length(path) };
    struct best best = { .alike = -1 };
    for (int i = 0; i < 3 && !best.row; i++) look(&best, g, path, lengths[i]);
    return best;
}

/* The row of image i; NULL: it has none. */
static int find_row(const struct meta_group_row **out, const struct meta_groups *g,
                    const struct meta_listed *l, int i, struct meta_error *error)
{
    const struct best best = best_of(g, without_dot(l->paths[i]));
    *out = best.row;
    if (!best.rival) return 0;
    return meta_fail(error,
                     "%s:%d: %s is %s%s in group %s, and so is %s on line %d in group %s: "
                     "must be in one, or have more of its folders",
                     g->path, best.rival->line, best.rival->image, l->paths[i],
                     meta_list_of_line(l->list, l->lines[i]).text, best.rival->group,
                     best.row->image, best.row->line, best.row->group);
}

/* Whether the paths of two images lie in one folder. */
static int same_folder(const char *a, const char *b)
{
    a = without_dot((char *)a);
    b = without_dot((char *)b);
    size_t n = (size_t)(meta_path_base(a) - a);
    return n == (size_t)(meta_path_base(b) - b) && !memcmp(a, b, n);
}

/* first: (rows) the first image of each row; -1: none yet. */
static int find_one(const struct meta_groups *g, const struct meta_listed *l, int i, int *first,
                    int *number, struct meta_error *error)
{
    const struct meta_group_row *row;
    *number = -1;
    if (find_row(&row, g, l, i, error)) return -1;
    if (!row) return 0;
    *number = row->number;
    int *known = &first[row - g->rows];
    if (*known < 0) *known = i;
    if (same_folder(l->paths[*known], l->paths[i])) return 0;
    if (!l->lines[i])
        return meta_fail(error,
                         "%s:%d: %s is the name of %s and of %s: must have their folders, such as "
                         "%s",
                         g->path, row->line, row->image, l->paths[*known], l->paths[i],
                         l->paths[i]);
    return meta_fail(error,
                     "%s:%d: %s is the name of %s and of %s, lines %d and %d of %s: must have "
                     "their "
                     "folders, such as %s",
                     g->path, row->line, row->image, l->paths[*known], l->paths[i],
                     l->lines[*known], l->lines[i], l->list, l->paths[i]);
}

static int is_row_of(struct meta_group_row *row, const char *path)
{
    const struct meta_groups alone = { .rows = row, .count = 1 };
    return best_of(&alone, without_dot((char *)path)).row != NULL;
}

static int is_row_of_list(struct meta_group_row *row, const char *list)
{
    struct meta_lines lines;
    struct meta_error ignored;
    int found = 0;
    if (!list || meta_lines_read(&lines, list, &ignored)) return 0;
    for (int i = 0; i < lines.count && !found; i++) found = is_row_of(row, lines.line[i]);
    meta_lines_free(&lines);
    return found;
}

/* A first row that may name columns by other words than ours must be an image's, of this list or of
   another of the .data file. */
static int check_unnamed(const struct meta_groups *g, const struct meta_listed *l,
                         struct meta_error *error)
{
    struct meta_group_row *row = g->rows;
    if (!g->unnamed) return 0;
    while (row->line != g->unnamed) row++;
    for (int i = 0; i < l->count; i++)
        if (is_row_of(row, l->paths[i])) return 0;
    const char *lists[] = { g->data->train, g->data->valid, g->data->test };
    for (int k = 0; k < 3; k++)
        if (is_row_of_list(row, lists[k])) return 0;
    return meta_fail(error,
                     "%s:%d: is no image of %s, and names no column image: must be image,group, "
                     "and with more columns a first line with these words",
                     g->path, g->unnamed, l->list);
}

int meta_groups_find(const struct meta_groups *g, const struct meta_listed *l, int *group,
                     struct meta_error *error)
{
    int known = 0, status = 0, *first;
    if (check_unnamed(g, l, error)) return -1;
    first = malloc(((size_t)g->count + 1) * sizeof *first);
    if (!first) return meta_fail_memory_for(error, g->path);
    for (int i = 0; i < g->count; i++) first[i] = -1;
    for (int i = 0; i < l->count && !status; i++) {
        status = find_one(g, l, i, first, &group[i], error);
        known += group[i] >= 0;
    }
    free(first);
    if (status || known) return status;
    return meta_fail(error,
                     "%s: names none of the %d images of %s, such as %s: must be image,group, an "
                     "image by its path or the end of it, down to the file's name; one that "
                     "belongs "
                     "to no other in a group of its own",
                     g->path, l->count, l->list, l->paths[0]);
}
