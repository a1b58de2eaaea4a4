/* The cells of a table whose rows are read, and the trainings that they stand on. */
#ifndef META_TABLE_CELLS_H
#define META_TABLE_CELLS_H

#include "table_model.h"

/* Checks every row's .cfg and makes cells, trainings and columns. The order of cells is that in
   which they are run: column by column, in the order the file first names numbers of shots, so that
   the number that stands first in shots= is there first in every row; within a column seed by seed,
   so that a table cut short has all rows to compare. Room is left for as many beginnings as there
   are trainings. */
int meta_table_make_cells(struct meta_table *, struct meta_error *);

#endif
