/* The lock of a table's folder. */
#ifndef META_TABLE_LOCK_H
#define META_TABLE_LOCK_H

#include "table_model.h"

/* Locks the folder, which is there, until *lock is closed: tables share trainings, so a second
   process that runs a table in the folder is refused. The processes that this one starts hold the
   lock too. What is left of a process that was killed ends soon, and is waited for, up to two
   minutes. *lock: a file descriptor, -1 on failure to open. */
int meta_table_lock(int *lock, const struct meta_table *, struct meta_error *);

#endif
