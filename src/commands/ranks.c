/* Opens the ranks of a verb, and has one of them speak. */
#include "ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

#define PATIENCE 30

/* Tells what is wrong and ends the process, as it is: a transport that still waits for other ranks
   must not hold it. */
static void end(const struct meta_error *error)
{
    meta_complain(error);
    fflush(NULL);
    _exit(1);
}

int meta_ranks_open(struct meta_transport **out, const struct meta_ranks_flags *flags)
{
    struct meta_error error;
    int patience = meta_flag_int("-patience", flags->patience, PATIENCE, 1, 1000000);
    if (meta_transport_open(out, flags->mpi, patience, &error)) end(&error);
    /* mpirun gives a rank a terminal, whatever its own output is */
    if (meta_transport_many(*out)) setenv("TERM", "dumb", 1);
    if ((*out)->rank && !freopen("/dev/null", "w", stdout)) {
        meta_fail(&error, "rank %d: /dev/null can't be opened", (*out)->rank);
        return meta_ranks_close(*out, meta_ranks_complain(*out, &error));
    }
    return 0;
}

/* Standard error as mpirun gave it to a site, which hands it to where it was started; -1: standard
   error is that. */
static int terminal = -1;

int meta_ranks_discreet(struct meta_transport *t, const char *output, struct meta_error *error)
{
    t->discreet = 1;
    if (!t->rank) return 0;
    terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int status = fd < 0 ? meta_fail(error, "%s: can't be written: %s", output, strerror(errno)) : 0;
    if (fd < 0) fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (terminal < 0 || fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        status = meta_fail(error, "standard output can't be kept at the site: %s", strerror(errno));
    close(fd);
    return status;
}

int meta_ranks_warns(const struct meta_transport *t) { return !t->rank || t->discreet; }

int meta_ranks_complain(struct meta_transport *t, const struct meta_error *error)
{
    const char *words = meta_transport_words(t, error);
    if (t->hushed) return 1;
    t->fail(t, words);
    if (terminal >= 0 && t->open_words) dprintf(terminal, "darknet: %s\n", words);
    else if (terminal >= 0)
        dprintf(terminal, "darknet: rank %d (%s): %s\n", t->rank, t->hosts[t->rank], words);
    return meta_complain(error);
}

enum { SAVING = 1, SAVED };

void meta_ranks_tell_saving(struct meta_transport *t, int done)
{
    t->tell(t, done ? SAVED : SAVING);
}

int meta_ranks_unsaved(struct meta_transport *t, int sites)
{
    if (!sites) return t->rank && t->told(t, 0) != SAVED;
    for (int k = 0; k < t->size; k++)
        if (k != t->rank && t->told(t, k) == SAVING) return 1;
    return 0;
}

int meta_ranks_meet(struct meta_transport *t, int status)
{
    struct meta_error error;
    t->about = "end";
    if (status && status <= 128) {
        if (!t->hushed) t->fail(t, "its run has failed");
    } else if (meta_transport_barrier(t, &error)) {
        int failed = meta_ranks_complain(t, &error);
        if (!status) status = failed;
    }
    return status;
}

int meta_ranks_close(struct meta_transport *t, int status)
{
    struct meta_error error;
    if (meta_transport_close(t, &error)) end(&error);
    return status;
}
