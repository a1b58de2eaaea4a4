/* The plan: the grid as SLUG.json in the table's folder, from which a report knows of cells that
   have no result. */
#ifndef META_TABLE_PLAN_H
#define META_TABLE_PLAN_H

#include "table_model.h"

/* The format of the file. */
#define META_TABLE_PLAN 2

int meta_table_write_plan(const struct meta_table *, struct meta_error *);
int meta_table_has_plan(const struct meta_table *);
/* Refuses a folder whose plan of that name is another table's: cells would have the same files. */
int meta_table_owns_plan(const struct meta_table *, struct meta_error *);

#endif
