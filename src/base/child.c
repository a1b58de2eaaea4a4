/* Forks a copy of this process that answers questions through a socket until either end goes
   away. */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct meta_child {
    pid_t pid;
    int socket;
};

struct answer {
    int status;
    double numbers[META_CHILD_NUMBERS];
    struct meta_error error;
};

/* Moves `size` bytes by send or recv. Returns -1 when the other end is gone. */
static int pass(ssize_t (*move)(int, void *, size_t), int fd, void *data, size_t size)
{
    for (char *at = data; size;) {
        ssize_t n = move(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += n;
        size -= n;
    }
    return 0;
}

static ssize_t send_some(int fd, void *data, size_t size)
{
    return send(fd, data, size, MSG_NOSIGNAL);
}
static ssize_t receive_some(int fd, void *data, size_t size) { return recv(fd, data, size, 0); }

static _Noreturn void be_child(int fd, int (*serve)(void *, double *, struct meta_error *),
                               void *context)
{
    char question;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may be in the middle of a long answer */
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    while (!pass(receive_some, fd, &question, 1)) {
        struct answer a;
        memset(&a, 0, sizeof a);
        a.status = serve(context, a.numbers, &a.error);
        if (pass(send_some, fd, &a, sizeof a)) break;
    }
    _exit(0);
}

int meta_child_start(struct meta_child **out, int (*serve)(void *, double *, struct meta_error *),
                     void *context, struct meta_error *error)
{
    int ends[2];
    struct meta_child *c = calloc(1, sizeof *c);
    if (!c) return meta_fail_memory(error);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        free(c);
        return meta_fail(error, "can't make a socket: %s", strerror(errno));
    }
    fflush(NULL);
    c->pid = fork();
    if (!c->pid) {
        close(ends[0]);
        free(c);
        be_child(ends[1], serve, context);
    }
    int status = errno;
    close(ends[1]);
    c->socket = ends[0];
    if (c->pid < 0) {
        meta_child_free(c);
        return meta_fail(error, "can't start a process: %s", strerror(status));
    }
    *out = c;
    return 0;
}

int meta_child_ask(struct meta_child *c, const char *what, double *numbers,
                   struct meta_error *error)
{
    struct answer a;
    int status = 0;
    char go = 1;
    if (pass(send_some, c->socket, &go, 1) || pass(receive_some, c->socket, &a, sizeof a)) {
        if (c->pid > 0) waitpid(c->pid, &status, 0);
        c->pid = -1;
        return WIFSIGNALED(status)
            ? meta_fail(error, "%s: ended by signal %d (%s)", what, WTERMSIG(status),
                        strsignal(WTERMSIG(status)))
            : meta_fail(error, "%s: ended by itself, with status %d", what, WEXITSTATUS(status));
    }
    if (a.status) return meta_fail(error, "%s: %s", what, a.error.text);
    memcpy(numbers, a.numbers, sizeof a.numbers);
    return 0;
}

void meta_child_free(struct meta_child *c)
{
    if (!c) return;
    shutdown(c->socket, SHUT_RDWR); /* close alone would not reach the child: children started later
                                       hold this socket open too */
    close(c->socket);
    if (c->pid > 0) waitpid(c->pid, NULL, 0);
    free(c);
}
