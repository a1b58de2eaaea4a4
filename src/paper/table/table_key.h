/* Keys: all that a training's weights or a test's figures depend on, as text of lines
   "what=value". A result holds its key; a result whose key is not the cell's is made anew. Each
   function that makes one gives *key to the caller, who frees it; errors name the file that can't
   be read. */
#ifndef META_TABLE_KEY_H
#define META_TABLE_KEY_H

#include "table_model.h"

/* The key of a training, by its row, shots and seed. */
int meta_table_recipe_key(char **key, const struct meta_table *, const struct meta_recipe *,
                          struct meta_error *);
/* The key of the first iterations of a training, for which [meta_loss] does not matter. */
int meta_table_beginning_key(char **key, const struct meta_recipe *, int iterations,
                             struct meta_error *);
/* The key of a test: those of its trainings, or of the given weights, and of the tasks. */
int meta_table_cell_key(char **key, const struct meta_table *, const struct meta_cell *,
                        struct meta_error *);
/* CRC-32 of the key. */
uint32_t meta_table_id(const char *key);

/* A table may be run for days: whether the files are still what the key was made of. 0, or -1
   with the message. */
int meta_recipe_unchanged(const struct meta_table *, const struct meta_recipe *,
                          struct meta_error *);
int meta_cell_unchanged(const struct meta_table *, const struct meta_cell *, struct meta_error *);

#endif
