/* The doctor's look for images that seem to show one and the same but are in different groups, and
   the groups file that has them together. */
#define _GNU_SOURCE
#include "base/csv.h"
#include "base/disjoint.h"
#include "base/file.h"
#include "base/plural.h"
#include "base/pool.h"
#include "base/text.h"
#include "doctor.h"
#include "images/image_place.h"
#include "tasks/alike.h"
#include "tasks/groups.h"
#include "tasks/labelled.h"
#include "tasks/list_place.h"

#include <stdlib.h>
#include <string.h>

/* Pairs that are named one by one. */
#define MOST_PAIRS 100

/* The images of all lists, one behind the other. */
struct all {
    int count;
    const struct meta_list_report **list; /* (count) */
    int *item, *group;                    /* (count) in its list; that the CSV names, or -1 */
    int *parent;                          /* (count) of images that are to be in one group */
    struct meta_thumbnail *thumbnails;    /* (count) */
};

static const char *path_of(const struct all *all, int i)
{
    return all->list[i]->set->paths[all->item[i]];
}
static int line_of(const struct all *all, int i) { return all->list[i]->set->lines[all->item[i]]; }

static void clear(struct all *all)
{
    free(all->list);
    free(all->item);
    free(all->group);
    free(all->parent);
    free(all->thumbnails);
}

static int gather(struct all *all, const struct meta_doctor *d, struct meta_error *error)
{
    size_t n = 0;
    *all = (struct all){ 0 };
    for (int l = 0; l < META_LISTS; l++) n += d->list[l].set ? d->list[l].set->count : 0;
    all->list = malloc((n + 1) * sizeof *all->list);
    all->item = malloc((n + 1) * sizeof *all->item);
    all->group = malloc((n + 1) * sizeof *all->group);
    all->parent = malloc((n + 1) * sizeof *all->parent);
    all->thumbnails = malloc((n + 1) * sizeof *all->thumbnails);
    if (!all->list || !all->item || !all->group || !all->parent || !all->thumbnails) {
        clear(all);
        return meta_fail(error, "out of memory for %zu images", n);
    }
    for (const struct meta_list_report *l = d->list; l < d->list + META_LISTS; l++) {
        if (!l->set || !l->set->count) continue;
        memcpy(all->thumbnails + all->count, l->survey.thumbnails,
               l->set->count * sizeof *all->thumbnails);
        for (int i = 0; i < l->set->count; i++, all->count++) {
            all->list[all->count] = l;
            all->item[all->count] = i;
            all->group[all->count] = l->set->named_group[i];
            all->parent[all->count] = all->count;
        }
    }
    return 0;
}

/* ---- what is said ---------------------------------------------------------------------------- */

/* Whether the two are known to belong together: files of the same bytes, which are told as copies,
   pages of one file, and whatever else is in one group of a list. */
static int is_known(const struct all *all, int a, int b)
{
    const struct meta_dataset *of_a = all->list[a]->set, *of_b = all->list[b]->set;
    int i = all->item[a], k = all->item[b];
    return !meta_image_file_order(&of_a->digests[i], &of_b->digests[k])
        || (of_a == of_b && of_a->group[i] >= 0 && of_a->group[i] == of_b->group[k]);
}

static int without_known(const struct all *all, struct meta_alike *pairs, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (!is_known(all, pairs[i].a, pairs[i].b)) pairs[kept++] = pairs[i];
    return kept;
}

/* What is too small to be compared. */
static int count_small(const struct all *all)
{
    int small = 0;
    for (int i = 0; i < all->count; i++) small += !all->thumbnails[i].w;
    return small;
}

static void say(struct meta_doctor *d, const struct all *all, const struct meta_alike *pairs,
                int count)
{
    for (const struct meta_alike *p = pairs; p < pairs + count && p < pairs + MOST_PAIRS; p++)
        meta_doctor_say(d, META_WARNING, "alike",
                        "%s%s and %s%s seem to show one and the same (correlation %.2f), but are "
                        "not in one group",
                        meta_list_place(all->list[p->a]->path, line_of(all, p->a)).text,
                        path_of(all, p->a),
                        meta_list_place(all->list[p->b]->path, line_of(all, p->b)).text,
                        path_of(all, p->b), p->correlation);
    int small = count_small(all), side = META_THUMBNAIL;
    if (small)
        meta_doctor_say(d, META_OK, "alike",
                        "%d of %d images, smaller than %dx%d, were not compared", small, all->count,
                        side, side);
    if (!count && small < all->count)
        meta_doctor_say(d, META_OK, "alike",
                        "no two images that are not in one group seem to show one and the same");
    else if (count)
        meta_doctor_say(d, META_WARNING, "alike",
                        "%d pair%s of images seem%s to show one and the same without being in one "
                        "group: look at them; -merge FILE writes groups that have them together",
                        count, meta_plural(count), count == 1 ? "s" : "");
}

/* ---- groups with them together --------------------------------------------------------------- */

/* Unites images of one group that has a name, copies within a list, and the pairs. names: how many
   such groups there are. */
static int unite_all(struct all *all, const struct meta_alike *pairs, int count, int names,
                     struct meta_error *error)
{
    int *first = malloc(((size_t)names + 1) * sizeof *first);
    if (!first) return meta_fail_memory(error);
    for (int g = 0; g < names; g++) first[g] = -1;
    for (int i = 0; i < all->count; i++) {
        int g = all->group[i], copy = all->list[i]->set->copy_of[all->item[i]];
        if (copy >= 0) meta_disjoint_unite(all->parent, i, i - all->item[i] + copy);
        if (g >= 0 && first[g] >= 0) meta_disjoint_unite(all->parent, i, first[g]);
        else if (g >= 0) first[g] = i;
    }
    for (int i = 0; i < count; i++) meta_disjoint_unite(all->parent, pairs[i].a, pairs[i].b);
    free(first);
    return 0;
}

/* A group is called as the first of those with names that are in it; one without such a name by the
   path of its first image. */
static int write_rows(FILE *f, struct all *all, char *const *names, struct meta_error *error)
{
    int *named = malloc(((size_t)all->count + 1) * sizeof *named);
    if (!named) return meta_fail_memory(error);
    for (int i = 0; i < all->count; i++) named[i] = -1;
    for (int i = 0; i < all->count; i++) {
        int g = all->group[i], *own = &named[meta_disjoint_root(all->parent, i)];
        if (g >= 0 && (*own < 0 || g < *own)) *own = g;
    }
    fputs("image,group\n", f);
    for (int i = 0; i < all->count; i++) {
        int top = meta_disjoint_root(all->parent, i);
        meta_csv_write_field(f, path_of(all, i));
        putc(',', f);
        meta_csv_write_field(f, named[top] >= 0 ? names[named[top]] : path_of(all, top));
        putc('\n', f);
    }
    free(named);
    return 0;
}

static int merge(const struct meta_doctor *d, struct all *all, const struct meta_alike *pairs,
                 int count, struct meta_error *error)
{
    struct meta_groups groups = { 0 };
    struct meta_text text;
    char *rows = NULL;
    const struct meta_labelled *l = d->data->labelled;
    if (!l && d->data->groups && meta_groups_read(&groups, d->data, error)) return -1;
    char *const *names = l ? l->group_names : groups.name;
    int status = unite_all(all, pairs, count, l ? l->groups : groups.names, error);
    if (!status) status = meta_text_begin(&text, error);
    if (!status)
        status = meta_text_end(&text, write_rows(text.file, all, names, error), &rows, error);
    if (!status) {
        const struct meta_chunk chunk = { rows, strlen(rows) };
        status = meta_file_write(d->merge, &chunk, 1, error);
    }
    free(rows);
    meta_groups_free(&groups);
    return status;
}

/* What to do with the file that is written, and for which data: a format of two texts. -groups is
   not for a CSV that has groups of its own. */
static const char *where_to_give(const struct meta_doctor *d)
{
    const struct meta_labelled *l = d->data->labelled;
    if (!l) return "written: %s: name it as groups= in %s";
    return l->groups && !d->flags.groups
        ? "written: %s: give it to -groups for %s, and leave out its own column group"
        : "written: %s: give it to -groups for %s";
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int look(struct meta_doctor *d, struct all *all, struct meta_error *error)
{
    struct meta_pool *pool;
    struct meta_alike *pairs;
    int count, status = 0;
    const struct meta_look look = { all->count, all->thumbnails, all->group };
    if (meta_pool_create(&pool, d->threads, error)) return -1;
    int failed = meta_alike_find(&pairs, &count, &look, pool, error);
    meta_pool_free(pool);
    if (failed) return -1;
    count = without_known(all, pairs, count);
    say(d, all, pairs, count);
    if (d->merge && !(status = merge(d, all, pairs, count, error)))
        meta_doctor_say(d, META_OK, "alike", where_to_give(d), d->merge, d->data_path);
    free(pairs);
    return status;
}

void meta_doctor_alike(struct meta_doctor *d)
{
    struct all all;
    struct meta_error error;
    if (!d->model || !d->data) return;
    int failed = gather(&all, d, &error);
    if (!failed) {
        failed = look(d, &all, &error);
        clear(&all);
    }
    if (failed) meta_doctor_say(d, META_WRONG, "alike", "%s", error.text);
}
