/* Locks a table's folder against a second process that runs a table there. */
#define _GNU_SOURCE
#include "table_lock.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120. /* seconds that the processes of one that was killed are waited for */

/* Whether the process that wrote its number into the lock is there. */
static int owner_lives(int fd)
{
    char text[32] = "";
    long pid = pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 && (!kill(pid, 0) || errno == EPERM);
}

static int take(int fd, const char *path, struct meta_error *error)
{
    char own[32];
    double end = meta_now() + PATIENCE;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (meta_now() > end || owner_lives(fd))
            return meta_fail(error, "%s: a table is being run in that folder", path);
        nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    }
    int n = snprintf(own, sizeof own, "%ld\n", (long)getpid());
    if (!ftruncate(fd, 0) && pwrite(fd, own, n, 0) == n) return 0;
    return meta_fail(error, "%s: can't write: %s", path, strerror(errno));
}

int meta_table_lock(int *lock, const struct meta_table *t, struct meta_error *error)
{
    char *path;
    *lock = -1;
    if (meta_table_text(&path, error, "%s/.lock", t->folder)) return -1;
    *lock = open(path, O_RDWR | O_CREAT, 0666);
    int status = *lock < 0 ? meta_fail(error, "%s: can't open: %s", path, strerror(errno))
                           : take(*lock, path, error);
    free(path);
    return status;
}
