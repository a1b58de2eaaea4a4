/* Locks a table's folder against a second process that runs a table there, and removes what a
   process that was killed has left. */
#include "table_lock.h"
#include "table_images.h"
#include "base/leftovers.h"

#include <stdlib.h>
#include <unistd.h>

/* Removes what was to become the file of that name in the folder. */
static int clean(const char *folder, const char *name, struct meta_error *error)
{
    char *path;
    if (meta_table_text(&path, error, "%s/%s", folder, name)) return -1;
    meta_leftovers_remove(path, NULL);
    free(path);
    return 0;
}

/* The result of a test that was not taken over into the cell's file. */
static int clean_part(const struct meta_cell *c, struct meta_error *error)
{
    char *part;
    if (meta_table_text(&part, error, "%s.part", c->file)) return -1;
    unlink(part);
    meta_leftovers_remove(part, NULL);
    free(part);
    return 0;
}

static int sweep(const struct meta_table *t, struct meta_error *error)
{
    for (int i = 0; i < t->cell_count; i++) {
        meta_leftovers_remove(t->cells[i].file, NULL);
        if (clean_part(&t->cells[i], error)) return -1;
    }
    for (int i = 0; i < t->recipe_count; i++) {
        const struct meta_recipe *r = &t->recipes[i];
        const char *files[] = { r->cfg, r->data, r->usage };
        for (int k = 0; k < 3; k++) meta_leftovers_remove(files[k], NULL);
    }
    char *plan;
    if (meta_table_text(&plan, error, "%s.json", t->slug)) return -1;
    int status = clean(t->folder, plan, error) || clean(t->folder, META_TABLE_IMAGES, error) ? -1
                                                                                             : 0;
    free(plan);
    return status;
}

int meta_table_lock(struct meta_lock *lock, const struct meta_table *t, struct meta_error *error)
{
    const struct meta_lock_words words = { "a table is being run in that folder",
                                           "wait for it, or take another -out" };
    char *path;
    *lock = (struct meta_lock){ .fd = -1 };
    if (meta_table_text(&path, error, "%s/.lock", t->folder)) return -1;
    int status = meta_lock_take(lock, path, 1, words, error);
    free(path);
    return status || sweep(t, error) ? -1 : 0;
}
