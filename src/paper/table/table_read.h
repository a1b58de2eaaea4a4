/* A table from its file: data/tables/smoke.table is an example. */
#ifndef META_TABLE_READ_H
#define META_TABLE_READ_H

#include "table_model.h"

/* Reads and checks the file `path` and every .cfg that it names; results are to go to `folder`.
   data: a .data file in place of the table's; NULL keeps that. When the .data file is not there,
   [table] needs= must say what it is, and the table has no keys and no trainings. Writes nothing.
   Errors name file and line. The caller frees. */
int meta_table_read(struct meta_table **, const char *path, const char *folder, const char *data,
                    struct meta_error *);
void meta_table_free(struct meta_table *);

#endif
