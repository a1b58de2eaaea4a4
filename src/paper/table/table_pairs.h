/* Paired differences: of a cell's AUCs to those of the reference on the same tasks. */
#ifndef META_TABLE_PAIRS_H
#define META_TABLE_PAIRS_H

#include "table_model.h"

/* Adds the difference to its reference to every result that is there and lacks it. With a cell:
   only to the results that are paired with the cell, or with the cell's reference. With NULL: to
   all, and takes it out of results that have no reference any more. */
int meta_table_compare(const struct meta_table *, const struct meta_cell *, struct meta_error *);

#endif
