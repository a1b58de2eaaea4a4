/* The result of a cell: the file of `meta test`, with what the table knows of it added as
   "table". */
#ifndef META_TABLE_RESULT_H
#define META_TABLE_RESULT_H

#include "table_model.h"

/* 1: the cell's result is there and has the cell's key. 0: it is not; *why, which may be NULL,
   is empty, or says what has changed or that the file can't be read. */
int meta_cell_done(const struct meta_cell *, struct meta_error *why);
/* Whether the cell is done, and the answers that another cell is averaged with are there, and are
   those of the result. */
int meta_cell_answers_kept(const struct meta_cell *);
/* Makes the cell's result of the file `written` by `meta test`, which is removed. seconds,
   megabytes: what the test has used. */
int meta_cell_finish(const struct meta_table *, const struct meta_cell *, const char *written,
                     double seconds, double megabytes, struct meta_error *);

#endif
