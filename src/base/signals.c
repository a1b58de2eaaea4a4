/* Waits in a thread for the signals that ask for an end. */
#define _GNU_SOURCE
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct meta_signals {
    sigset_t heard, before; /* before: the mask of the caller */
    pthread_t thread;
    void (*asked)(void *, int);
    void *context;
};

static void *hear(void *argument)
{
    struct meta_signals *s = argument;
    int number, old;
    while (sigwait(&s->heard, &number)) {}
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_sigmask(SIG_UNBLOCK, &s->heard, NULL);
    s->asked(s->context, number);
    return NULL;
}

int meta_signals_start(struct meta_signals **out, void (*asked)(void *, int), void *context,
                       struct meta_error *error)
{
    const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct meta_signals *s = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->asked = asked;
    s->context = context;
    sigemptyset(&s->heard);
    for (int i = 0; i < 3; i++) {
        struct sigaction now;
        if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
            sigaddset(&s->heard, numbers[i]);
    }
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &s->before); /* the thread inherits it */
    int status = pthread_create(&s->thread, NULL, hear, s);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    if (status) {
        free(s);
        return meta_fail(error, "can't start a thread: %s", strerror(status));
    }
    pthread_sigmask(SIG_BLOCK, &s->heard, NULL);
    *out = s;
    return 0;
}

void meta_signals_end(struct meta_signals *s)
{
    if (!s) return;
    pthread_cancel(s->thread);
    pthread_join(s->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    free(s);
}
