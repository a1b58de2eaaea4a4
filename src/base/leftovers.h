/* The temporary files of base/file.h that runs which were killed have left. */
#ifndef META_LEFTOVERS_H
#define META_LEFTOVERS_H

/* Removes what was to become `path`: PATH.tmp.PID and PATH.tmp.PID.N. With an ending, what was to
   become one of several files with a number: PATH1000ENDING.tmp.PID.N. Only for names that no other
   process writes now, by a lock (lock.h): the numbers of processes are used again, and those of
   other machines say nothing here. */
void meta_leftovers_remove(const char *path, const char *ending);

#endif
