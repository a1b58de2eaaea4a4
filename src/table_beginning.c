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

/* Whether the two are the same training until one of them weighs a task. */
static int same_beginning(const struct meta_recipe *a, const struct meta_recipe *b, struct meta_error *error)
{
    char *first = NULL, *second = NULL;
    if (!a->unweighed || !b->unweighed) return 0;
    int status = meta_table_beginning_key(&first, a, 1, error) || meta_table_beginning_key(&second, b, 1, error) ? -1 : !strcmp(first, second);
    free(first);
    free(second);
    return status;
}

int meta_table_begin(struct meta_table *t, struct meta_error *error)
{
    int count = t->recipe_count;
    for (int i = 0; i < count; i++) {
        struct meta_recipe *r = &t->recipes[i], *b = NULL;
        int least = r->unweighed, same;
        for (int k = i + 1; k < count && !r->beginning; k++) {
            struct meta_recipe *other = &t->recipes[k];
            if ((same = same_beginning(r, other, error)) < 0) return -1;
            if (!same) continue;
            if (!b) b = &t->recipes[t->recipe_count++];
            other->beginning = b;
            if (other->unweighed < least) least = other->unweighed;
        }
        if (!b) continue;
        r->beginning = b;
        *b = (struct meta_recipe){ .row = r->row, .shots = r->shots, .seed = r->seed, .total = least, .begins = 1 };
        if (meta_table_beginning_key(&b->key, r, least, error) || meta_recipe_name(t, b, error)) return -1;
    }
    return 0;
}
