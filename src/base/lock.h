/* Locks, as files that say whose they are: NAME.lock stands beside what one run writes, from its
   start to its end. What a run that was killed left of it stops nobody. */
#ifndef META_LOCK_H
#define META_LOCK_H

#include "error.h"

enum { META_LOCK_NOTE = 64 };

struct meta_lock {
    int fd;     /* -1: not held */
    char *path; /* of the file */
    char note[META_LOCK_NOTE];
};

/* What the message says where another run holds the lock: "PATH: WHAT: process 12 on HOST: HINT".
 */
struct meta_lock_words {
    const char *what, *hint; /* "a table is being run here", "take another -out" */
};

/* Takes the lock, which it makes, in a folder that is there. Where another process holds it, or a
   process of another machine has left it, of which this one can't tell whether it goes on, it fails
   with a message that says whose the lock is and how to go on. shared: the processes that this one
   starts hold the lock too; those that a killed one left are waited for, up to two minutes. The
   note of a killed run is taken over. Releases nothing on failure. */
int meta_lock_take(struct meta_lock *, const char *path, int shared, struct meta_lock_words,
                   struct meta_error *);
/* Fails as above where another run holds the lock, and changes nothing. */
int meta_lock_look(const char *path, struct meta_lock_words, struct meta_error *);
/* Makes the file again where somebody has removed it. Fails when another run has made it since:
   nothing of ours may be written any more. */
int meta_lock_keep(struct meta_lock *, struct meta_error *);
/* Leaves a line of words for the next run, to be found if this one is killed; "": no more. */
int meta_lock_write_note(struct meta_lock *, const char *note, struct meta_error *);
/* Whether the file is there and has a note, of a run that goes on or was killed. */
int meta_lock_has_note(const char *path);
/* Removes the file, unless it has a note for the next run, and frees. May be called on a lock that
 * is not held; its fd is then -1. */
void meta_lock_release(struct meta_lock *);
/* Removes the file alone, for a thread in which the program ends at once. */
void meta_lock_unlink(const struct meta_lock *);
/* From now on SIGINT, SIGTERM, SIGHUP and SIGPIPE, other than those that are ignored, remove the
   file before they end the program. For one lock of a program that has nothing else to do then. */
void meta_lock_guard(const struct meta_lock *);

#endif
