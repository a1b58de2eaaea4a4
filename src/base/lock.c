/* Locks a name by flock() on a file that says which process of which machine holds it. The kernel
   gives the lock back when the process ends, however that comes; on a network's disk, where
   machines may not see each other's locks, the words in the file count too. */
#define _GNU_SOURCE
#include "lock.h"
#include "clock.h"
#include "file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHORT .3  /* seconds that a process which is just ending may take for it */
#define LONG 120. /* seconds that the processes which a killed one has started are waited for */

enum { WORD = 80 };

/* A process, as the file has it. */
struct owner {
    long process;
    unsigned long long begun; /* clock ticks after the machine's start: numbers are used again */
    char host[WORD], boot[WORD], note[META_LOCK_NOTE];
};

/* When the process began; 0: there is none of that number. */
static unsigned long long begin_of(long process)
{
    char path[40], text[512];
    unsigned long long begun = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    const char *at = strrchr(text, ')'); /* behind the name, which may be anything */
    if (!at
        || sscanf(at + 1,
                  " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
                  " %*s %*s %llu",
                  &begun)
            != 1)
        return 0;
    return begun;
}

static struct owner ourselves(void)
{
    struct owner o = { .process = getpid() };
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, o.boot, sizeof o.boot - 1);
    if (fd >= 0) close(fd);
    o.boot[n > 0 ? strcspn(o.boot, " \n") : 0] = 0;
    if (gethostname(o.host, sizeof o.host - 1) || !*o.host) strcpy(o.host, "?");
    o.begun = begin_of(o.process);
    return o;
}

static struct owner read_owner(int fd)
{
    struct owner o = { 0 };
    char text[512];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    for (char *line = text, *end; *line; line = end + (*end == '\n')) {
        end = strchrnul(line, '\n');
        sscanf(line, "process %ld", &o.process);
        sscanf(line, "begun %llu", &o.begun);
        sscanf(line, "host %79s", o.host);
        sscanf(line, "boot %79s", o.boot);
        sscanf(line, "note %63[^\n]", o.note);
    }
    return o;
}

static int write_owner(const struct meta_lock *l, struct meta_error *error)
{
    char text[512];
    struct owner o = ourselves();
    int n = snprintf(text, sizeof text, "process %ld\nbegun %llu\nhost %s\nboot %s\n%s%s%s",
                     o.process, o.begun, o.host, o.boot, *l->note ? "note " : "", l->note,
                     *l->note ? "\n" : "");
    if (pwrite(l->fd, text, n, 0) == n && !ftruncate(l->fd, n)) return 0;
    return meta_fail(error, "%s: can't write: %s", l->path, strerror(errno));
}

/* Where an owner's process is, seen from here. */
enum where { NOWHERE, HERE, ELSEWHERE };

/* A machine that has started again since is told by `boot`, which containers share; the host's
   name alone counts where one of the two is not known. */
static enum where find(const struct owner *o)
{
    struct owner us = ourselves();
    if (o->process <= 0 || !*o->host) return NOWHERE; /* nobody has signed it, or only begun to */
    int known = *o->boot && *us.boot, same_boot = known && !strcmp(o->boot, us.boot);
    if (!same_boot && strcmp(o->host, us.host)) return ELSEWHERE;
    if (known && !same_boot) return NOWHERE;
    if (kill(o->process, 0) && errno == ESRCH) return NOWHERE;
    unsigned long long begun = begin_of(o->process);
    return o->begun && begun && begun != o->begun ? NOWHERE : HERE;
}

static int refuse(const char *path, const struct owner *o, struct meta_lock_words w,
                  struct meta_error *error)
{
    if (o->process <= 0) return meta_fail(error, "%s: %s: %s", path, w.what, w.hint);
    return meta_fail(error, "%s: %s: process %ld on %s: %s", path, w.what, o->process, o->host,
                     w.hint);
}

/* As above, of a lock that its process may have left. */
static int refuse_distant(const char *path, const struct owner *o, struct meta_lock_words w,
                          struct meta_error *error)
{
    return meta_fail(error,
                     "%s: %s: process %ld on %s, another machine, as far as can be told from here: "
                     "%s, or remove this file if that process has ended",
                     path, w.what, o->process, o->host, w.hint);
}

/* Whether the path still names the file that is open. */
static int is_there(const char *path, int fd)
{
    struct stat own, there;
    return !fstat(fd, &own) && !stat(path, &there) && own.st_dev == there.st_dev
        && own.st_ino == there.st_ino;
}

/* 1: locked, or the disk knows no locks; 0: another process has it; -1: the file was removed
   meanwhile. */
static int try(const char *path, int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) return 0;
    return is_there(path, fd) ? 1 : -1;
}

static int open_file(const char *path, int flags, struct meta_error *error)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | flags, 0666);
    if (fd < 0) meta_fail(error, "%s: can't open: %s", path, strerror(errno));
    return fd;
}

/* Opens and locks the file; another process that is ending is waited for. Returns the descriptor,
   or -1 with the message. */
static int open_locked(const char *path, int shared, struct meta_lock_words w,
                       struct meta_error *error)
{
    double begun = meta_now();
    for (;;) {
        int fd = open_file(path, O_CREAT | (shared ? 0 : O_CLOEXEC), error);
        if (fd < 0) return -1;
        int got = try(path, fd);
        if (got > 0) return fd;
        struct owner o = read_owner(fd);
        int left = !got && shared && o.process > 0 && find(&o) == NOWHERE;
        close(fd);
        if (!got && meta_now() - begun > (left ? LONG : SHORT)) {
            refuse(path, &o, w, error);
            return -1;
        }
        if (!got) nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    }
}

/* Whether the file is a lock, or could be one whose process or machine ended before it had signed
   it: blank. Else fails. */
static int check_ours(const char *path, int fd, struct meta_error *error)
{
    char text[512];
    ssize_t n = pread(fd, text, sizeof text - 1, 0), blank = 0;
    text[n > 0 ? n : 0] = 0;
    while (blank < n && (!text[blank] || text[blank] == ' ' || text[blank] == '\n')) blank++;
    if (n >= 0 && blank == n && n < (ssize_t)sizeof text - 1) return 0;
    if (!strncmp(text, "process ", 8) && (text[8] == '-' || isdigit((unsigned char)text[8])))
        return 0;
    return meta_fail(error,
                     "%s: is there and is no lock of this program: must be moved away, or another "
                     "name be given",
                     path);
}

int meta_lock_take(struct meta_lock *l, const char *path, int shared, struct meta_lock_words w,
                   struct meta_error *error)
{
    struct owner before;
    *l = (struct meta_lock){ .fd = -1 };
    int fd = open_locked(path, shared, w, error);
    if (fd < 0) return -1;
    if (check_ours(path, fd, error)) {
        close(fd);
        return -1;
    }
    before = read_owner(fd);
    enum where where = find(&before);
    /* Locked, so a process of this machine has ended, unless the disk knows no locks. */
    if (where == ELSEWHERE) refuse_distant(path, &before, w, error);
    else if (where == HERE && before.process != getpid() && flock(fd, LOCK_EX | LOCK_NB))
        refuse(path, &before, w, error);
    else if (!(l->path = strdup(path))) meta_fail_memory(error);
    else {
        l->fd = fd;
        strcpy(l->note, before.note);
        struct meta_error ignored; /* on a full disk it is a lock that says not whose */
        write_owner(l, &ignored);
        return 0;
    }
    close(fd);
    return -1;
}

int meta_lock_look(const char *path, struct meta_lock_words w, struct meta_error *error)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    if (check_ours(path, fd, error)) {
        close(fd);
        return -1;
    }
    struct owner o = read_owner(fd);
    enum where where = find(&o);
    int held = flock(fd, LOCK_SH | LOCK_NB), by_other = held && errno == EWOULDBLOCK;
    close(fd);
    if (by_other || (held && where == HERE)) return refuse(path, &o, w, error);
    return where == ELSEWHERE ? refuse_distant(path, &o, w, error) : 0;
}

int meta_lock_keep(struct meta_lock *l, struct meta_error *error)
{
    if (l->fd < 0 || is_there(l->path, l->fd)) return 0;
    int fd = open(l->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) return 0; /* the folder may be gone: what is written tells */
    if (fd < 0 || (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)) {
        if (fd >= 0) close(fd);
        return meta_fail(error, "%s: was removed, and another run has its place now", l->path);
    }
    close(l->fd);
    l->fd = fd;
    struct meta_error ignored; /* an empty lock is a lock, too */
    write_owner(l, &ignored);
    return 0;
}

int meta_lock_write_note(struct meta_lock *l, const char *note, struct meta_error *error)
{
    snprintf(l->note, sizeof l->note, "%s", note);
    return l->fd < 0 ? 0 : write_owner(l, error);
}

int meta_lock_has_note(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    struct owner o = read_owner(fd);
    close(fd);
    return *o.note != 0;
}

void meta_lock_unlink(const struct meta_lock *l)
{
    if (l->fd >= 0 && !*l->note && is_there(l->path, l->fd)) unlink(l->path);
}

static const struct meta_lock *guarded;

/* Calls nothing but what a signal handler may. */
static void end(int number)
{
    meta_lock_unlink(guarded);
    signal(number, SIG_DFL);
    raise(number);
}

void meta_lock_guard(const struct meta_lock *l)
{
    const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    guarded = l;
    for (int i = 0; i < 4; i++) {
        struct sigaction old, action = { .sa_handler = end };
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

void meta_lock_release(struct meta_lock *l)
{
    int fd = l->fd;
    meta_lock_unlink(l);
    l->fd = -1; /* a signal finds the lock released */
    if (fd >= 0) close(fd);
    free(l->path);
    *l = (struct meta_lock){ .fd = -1 };
}
