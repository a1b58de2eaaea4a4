/* The folder of a training: its name, what is put there to train with, and what the training
   leaves there. */
#ifndef META_TABLE_RECIPE_H
#define META_TABLE_RECIPE_H

#include "table_model.h"

/* Names the folder and the files of a training whose key is there. */
int meta_recipe_name(const struct meta_table *, struct meta_recipe *, struct meta_error *);
/* Makes the folder, with a copy of the .cfg that has the training's shots and a .data file that
   has its weights put there. */
int meta_recipe_prepare(const struct meta_table *, const struct meta_recipe *, struct meta_error *);
/* Whether the final weights are there. */
int meta_recipe_done(const struct meta_recipe *);
/* Iterations that the training's log has. *seconds: the mean time of the last ones; 0 when it
   has none. */
int meta_recipe_progress(const struct meta_recipe *, double *seconds);
/* Adds what one more process of the training has used to usage.json: processor seconds and
   megabytes at its peak. */
int meta_recipe_add_usage(const struct meta_recipe *, double processor_seconds, double megabytes,
                          struct meta_error *);

#endif
