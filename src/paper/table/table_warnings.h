/* What a table's processes warn of, which stands in their logs alone. */
#ifndef META_TABLE_WARNINGS_H
#define META_TABLE_WARNINGS_H

#include <sys/types.h>

/* Warnings that have been told: the processes of many cells say the same. */
struct meta_table_warnings {
    char **line;
    int count;
};
/* Tells each line of the log from the byte `from` on that is a warning, once whatever log it is
   in. well: the process has ended well, so that whatever it complained of is one. What can't be
   read or kept is in the log still, and no error. */
void meta_table_warnings_tell(struct meta_table_warnings *, const char *log, off_t from, int well,
                              void (*tell)(void *context, const char *line), void *context);
void meta_table_warnings_clear(struct meta_table_warnings *);

#endif
