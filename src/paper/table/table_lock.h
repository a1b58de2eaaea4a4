/* The lock of a table's folder. */
#ifndef META_TABLE_LOCK_H
#define META_TABLE_LOCK_H

#include "base/lock.h"
#include "table_model.h"

/* Locks the folder, which is there, until the lock is released: tables share trainings, so a second
   process that runs a table in the folder is refused. The processes that this one starts hold the
   lock too. What is left of a process that was killed ends soon, and is waited for, up to two
   minutes; temporary files that it has left are removed. */
int meta_table_lock(struct meta_lock *, const struct meta_table *, struct meta_error *);

#endif
