/* Trainings that [meta_loss] alone tells apart are one until it weighs a task: that beginning is trained once, and each forks it.
   Where they weigh their first tasks at different iterations, a longer beginning forks a shorter one. */
#include "table.h"
#include "config/model.h"
#include "learning/policy.h"
#include "learning/weigh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int meta_recipe_unweighed(const struct meta_model *m)
{
    int n = 0;
    if (m->net.policy == META_POLICY_POLY) return 0;       /* its rates depend on where a training ends */
    while (n < m->net.max_batches && !meta_weighs(m, n + 1)) n++;
    return n;
}

struct meta_recipe *meta_recipe_next(struct meta_recipe *r)
{
    struct meta_recipe *b = r->beginning;
    return b && access(r->state, F_OK) && !meta_recipe_done(r) && !meta_recipe_done(b) ? meta_recipe_next(b) : r;
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
    if (!keys) { meta_fail_memory(error); return NULL; }
    for (int i = 0; i < t->recipe_count; i++) {
        if (!t->recipes[i].unweighed || !meta_table_beginning_key(&keys[i], &t->recipes[i], 1, error)) continue;
        free_keys(keys, t->recipe_count);
        return NULL;
    }
    return keys;
}

/* Of the trainings of a key: where, after `after`, the first of them parts from the others. How many come that far; 1: there are no others. */
static int next_parting(const struct meta_table *t, char **keys, int count, const char *key, int after, int *least)
{
    int sharers = 0;
    *least = 0;
    for (int i = 0; i < count; i++) {
        int n = t->recipes[i].unweighed;
        if (!keys[i] || strcmp(keys[i], key) || n <= after) continue;
        sharers++;
        if (!*least || n < *least) *least = n;
    }
    return sharers;
}

/* The next beginning, of so many iterations, for those of the key that come that far. */
static int add_beginning(struct meta_table *t, char **keys, int count, const char *key, int iterations, struct meta_error *error)
{
    struct meta_recipe *b = &t->recipes[t->recipe_count++], *first = NULL;
    for (int i = 0; i < count; i++) {
        struct meta_recipe *r = &t->recipes[i];
        if (!keys[i] || strcmp(keys[i], key) || r->unweighed < iterations) continue;
        if (!first) {
            first = r;
            *b = (struct meta_recipe){ .row = r->row, .shots = r->shots, .seed = r->seed, .total = iterations, .beginning = r->beginning, .begins = 1 };
        }
        r->beginning = b;
    }
    return meta_table_beginning_key(&b->key, first, iterations, error) || meta_recipe_name(t, b, error) ? -1 : 0;
}

int meta_table_begin(struct meta_table *t, struct meta_error *error)
{
    int count = t->recipe_count, status = 0;
    char **keys = unweighed_keys(t, error);
    if (!keys) return -1;
    for (int i = 0; i < count && !status; i++) {
        int iterations = 0;
        if (!keys[i] || t->recipes[i].beginning) continue;
        while (!status && next_parting(t, keys, count, keys[i], iterations, &iterations) > 1)
            status = add_beginning(t, keys, count, keys[i], iterations, error);
    }
    free_keys(keys, count);
    return status;
}
