/* Beginnings that trainings share. Trainings that differ in [meta_loss] alone are the same until
   one of them weighs a task: that stretch is trained once, and each of them forks it. Where they
   weigh their first tasks at different iterations, a longer beginning forks a shorter one. */
#include "table_beginning.h"
#include "table_key.h"
#include "table_recipe.h"
#include "learning/policy.h"
#include "learning/weigh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int meta_recipe_unweighed(const struct meta_model *m)
{
    int n = 0;
    if (meta_policy_reads_end(&m->net)) return 0;
    while (n < m->net.max_batches && !meta_weighs(m, n + 1)) n++;
    return n;
}

struct meta_recipe *meta_recipe_next(struct meta_recipe *r)
{
    struct meta_recipe *b = r->beginning;
    if (!b || !access(r->state, F_OK) || meta_recipe_done(r) || meta_recipe_done(b)) return r;
    return meta_recipe_next(b);
}

/* The trainings that may share: those that a table has before it has beginnings. */
struct sharing {
    struct meta_table *table;
    int count;
    char **keys; /* (count) equal where only [meta_loss] differs; NULL: can't share */
};

static void clear(struct sharing *s)
{
    for (int i = 0; i < s->count; i++) free(s->keys[i]);
    free(s->keys);
}

static int make_keys(struct sharing *s, struct meta_error *error)
{
    s->keys = calloc(s->count + 1, sizeof *s->keys);
    if (!s->keys) return meta_fail_memory(error);
    for (int i = 0; i < s->count; i++) {
        const struct meta_recipe *r = &s->table->recipes[i];
        if (!r->unweighed || !meta_table_beginning_key(&s->keys[i], r, 1, error)) continue;
        clear(s);
        return -1;
    }
    return 0;
}

/* Whether training i has the key, and weighs no task in so many iterations. */
static int shares(const struct sharing *s, int i, const char *key, int iterations)
{
    return s->keys[i] && !strcmp(s->keys[i], key) && s->table->recipes[i].unweighed >= iterations;
}

/* Of the trainings with the key that share more than `after` iterations: *least is where the
   first of them parts from the others. Returns how many they are. */
static int next_parting(const struct sharing *s, const char *key, int after, int *least)
{
    int sharers = 0;
    *least = 0;
    for (int i = 0; i < s->count; i++) {
        int n = s->table->recipes[i].unweighed;
        if (!shares(s, i, key, after + 1)) continue;
        sharers++;
        if (!*least || n < *least) *least = n;
    }
    return sharers;
}

/* Adds the beginning of so many iterations for the trainings with the key that share them. */
static int add_beginning(struct sharing *s, const char *key, int iterations,
                         struct meta_error *error)
{
    struct meta_table *t = s->table;
    struct meta_recipe *b = &t->recipes[t->recipe_count++], *first = NULL;
    for (int i = 0; i < s->count; i++) {
        struct meta_recipe *r = &t->recipes[i];
        if (!shares(s, i, key, iterations)) continue;
        if (!first) {
            first = r;
            *b = (struct meta_recipe){ .row = r->row,
                                       .shots = r->shots,
                                       .seed = r->seed,
                                       .total = iterations,
                                       .beginning = r->beginning,
                                       .is_beginning = 1 };
        }
        r->beginning = b;
    }
    if (meta_table_beginning_key(&b->key, first, iterations, error)) return -1;
    return meta_recipe_name(t, b, error);
}

int meta_table_add_beginnings(struct meta_table *t, struct meta_error *error)
{
    struct sharing s = { .table = t, .count = t->recipe_count };
    int status = make_keys(&s, error);
    if (status) return -1;
    for (int i = 0; i < s.count && !status; i++) {
        int iterations = 0;
        if (!s.keys[i] || t->recipes[i].beginning) continue;
        while (!status && next_parting(&s, s.keys[i], iterations, &iterations) > 1)
            status = add_beginning(&s, s.keys[i], iterations, error);
    }
    clear(&s);
    return status;
}
