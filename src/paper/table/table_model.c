/* What the parts of a table say of themselves: the names of methods and trainings, a row's
   labels, seed and .cfg, and the reference that a cell is paired with. */
#define _GNU_SOURCE
#include "table_model.h"
#include "evaluation/methods.h"

#include <stdio.h>
#include <string.h>

const char *meta_table_list_name(const struct meta_table *t, int which)
{
    if (which == META_TABLE_TRAINED) return "train";
    return t->valid ? "valid" : "test";
}

const char *meta_row_method_name(int method) { return meta_methods[method]->name; }

const char *meta_table_training_name(int train)
{
    static const char *const names[] = { "none", "train", "pretrain" };
    return names[train];
}

int meta_row_has_label(const struct meta_table_row *row, const char *label)
{
    return !strcmp(row->label, label) || (row->family && !strcmp(row->family, label));
}

int meta_row_model(struct meta_model **model, const struct meta_table_row *row,
                   struct meta_error *error)
{
    static const enum meta_purpose purposes[] = { META_FOR_ANY, META_FOR_TASKS, META_FOR_IMAGES };
    return meta_model_load_for(model, row->cfg, purposes[row->train], error);
}

uint64_t meta_table_seed(const struct meta_table *t, const struct meta_table_row *row)
{
    return row->seed < 0 ? t->seed : row->seed;
}

const char *meta_cell_missing(const struct meta_table *t, const struct meta_cell *c)
{
    const struct meta_table_source *own = t->sources, *trained = own + c->row->source;
    if (own->missing || trained->missing) return own->missing ? own->data : trained->data;
    return c->with ? meta_cell_missing(t, c->with) : NULL;
}

int meta_cell_trainings(const struct meta_cell *c) { return c->recipe ? 1 + c->more_count : 0; }

struct meta_recipe *meta_cell_training(const struct meta_cell *c, int place)
{
    return place ? c->more[place - 1] : c->recipe;
}

static const struct meta_cell *find_reference(const struct meta_table *t,
                                              const struct meta_cell *cell)
{
    if (!t->reference || meta_row_has_label(cell->row, t->reference)) return NULL;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (c->shots != cell->shots || !meta_row_has_label(c->row, t->reference)) continue;
        if (!strcmp(c->row->label, t->reference)
            || meta_table_seed(t, c->row) == meta_table_seed(t, cell->row))
            return c;
    }
    return NULL;
}

static int same_temper(const struct meta_list *a, const struct meta_list *b)
{
    if (a->count != b->count) return 0;
    for (int i = 0; i < a->count; i++)
        if (a->values[i] != b->values[i]) return 0;
    return 1;
}

/* Whether two cells ask their trainings in the same way. */
static int asks_alike(const struct meta_cell *a, const struct meta_cell *b)
{
    return a->more_count == b->more_count && a->row->augment == b->row->augment
        && !a->row->average == !b->row->average && a->with == b->with
        && same_temper(&a->row->temper, &b->row->temper);
}

/* Whether a row of the reference, of any seed, stands on the training with these shots. */
static int is_of_reference(const struct meta_table *t, const struct meta_recipe *recipe, int shots)
{
    for (const struct meta_cell *c = t->cells; c < t->cells + t->cell_count; c++) {
        if (c->shots != shots || !meta_row_has_label(c->row, t->reference)) continue;
        for (int k = 0; k < meta_cell_trainings(c); k++)
            if (meta_cell_training(c, k) == recipe) return 1;
    }
    return 0;
}

/* Whether a cell differs from the reference, r, in nothing but how its trainings are asked. */
static int is_reference_asked(const struct meta_table *t, const struct meta_cell *c,
                              const struct meta_cell *r)
{
    const struct meta_table_row *a = c->row, *b = r->row;
    if (c->shots != r->shots || c->recipe != r->recipe || a->method != b->method
        || a->epochs != b->epochs || strcmp(a->cfg, b->cfg) != 0)
        return 0;
    for (int k = 0; k < c->more_count; k++)
        if (!is_of_reference(t, c->more[k], c->shots)) return 0;
    return 1;
}

const struct meta_cell *meta_table_reference(const struct meta_table *t,
                                             const struct meta_cell *cell)
{
    const struct meta_cell *r = find_reference(t, cell);
    if (!r || !r->recipe || asks_alike(r, cell)) return r;
    if (is_reference_asked(t, cell, r)) return r;
    for (const struct meta_cell *c = t->cells; c < t->cells + t->cell_count; c++)
        if (asks_alike(c, cell) && is_reference_asked(t, c, r)) return c;
    return r;
}

int meta_table_text(char **text, struct meta_error *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vasprintf(text, format, list);
    va_end(list);
    if (n >= 0) return 0;
    *text = NULL;
    return meta_fail_memory(error);
}
