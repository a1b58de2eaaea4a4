/* Trainings that [meta_loss] alone tells apart are one until it weighs a task: that beginning is trained once, and each forks it. */
#include "table.h"
#include "model.h"
#include "policy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int meta_recipe_unweighed(const struct meta_model *m)
{
    const struct meta_loss_functions *f = m->loss ? m->loss->loss : NULL;
    int n = 0;
    if (m->net.policy == META_POLICY_POLY) return 0;       /* its rates depend on where a training ends */
    while (n < m->net.max_batches && (!f || f->weight(m->loss_settings, .5, n + 1) == 1)) n++;
    return n;
}

struct meta_recipe *meta_recipe_next(struct meta_recipe *r)
{
    struct meta_recipe *b = r->beginning;
    return b && access(r->state, F_OK) && !meta_recipe_done(r) && !meta_recipe_done(b) ? b : r;
}

static void free_keys(char **keys, int count)
{
    for (int i = 0; i < count; i++) free(keys[i]);
    free(keys);
}

/* Of each recipe that has something to share, NULL of the others: equal ones are the same training until one of them weighs a task. */
static char **unweighed_keys(const struct meta_table *t, struct meta_error *error)
{
    char **keys = calloc(t->recipe_count + 1, sizeof *keys);
    if (!keys) { meta_fail(error, "out of memory"); return NULL; }
    for (int i = 0; i < t->recipe_count; i++) {
        if (!t->recipes[i].unweighed || !meta_table_beginning_key(&keys[i], &t->recipes[i], 1, error)) continue;
        free_keys(keys, t->recipe_count);
        return NULL;
    }
    return keys;
}

int meta_table_begin(struct meta_table *t, struct meta_error *error)
{
    int count = t->recipe_count, status = -1;
    char **keys = unweighed_keys(t, error);
    if (!keys) return -1;
    for (int i = 0; i < count; i++) {
        struct meta_recipe *r = &t->recipes[i], *b = NULL;
        int least = r->unweighed;
        if (!keys[i] || r->beginning) continue;
        for (int k = i + 1; k < count; k++) {
            struct meta_recipe *other = &t->recipes[k];
            if (!keys[k] || strcmp(keys[i], keys[k])) continue;
            if (!b) b = &t->recipes[t->recipe_count++];
            other->beginning = b;
            if (other->unweighed < least) least = other->unweighed;
        }
        if (!b) continue;
        r->beginning = b;
        *b = (struct meta_recipe){ .row = r->row, .shots = r->shots, .seed = r->seed, .total = least, .begins = 1 };
        if (meta_table_beginning_key(&b->key, r, least, error) || meta_recipe_name(t, b, error)) goto done;
    }
    status = 0;
done:
    free_keys(keys, count);
    return status;
}
