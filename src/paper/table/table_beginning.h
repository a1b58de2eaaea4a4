/* Beginnings that trainings share: [meta_loss] has no effect until it weighs the first task. */
#ifndef META_TABLE_BEGINNING_H
#define META_TABLE_BEGINNING_H

#include "table_model.h"

/* Iterations before a training of the model weighs a task, at most all; 0 with policy=poly
   or cosine, whose rates depend on where a training ends. */
int meta_recipe_unweighed(const struct meta_model *);
/* Adds a beginning to the table's recipes for each stretch that two or more trainings share, and
   links them to it. t->recipes must have room for as many more. */
int meta_table_add_beginnings(struct meta_table *, struct meta_error *);
/* What has to be trained next for the training: the first of its beginnings that is missing, or
   the training itself. */
struct meta_recipe *meta_recipe_next(struct meta_recipe *);

#endif
