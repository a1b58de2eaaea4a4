/* Under mpirun: what ranks do with each other, and what becomes of them when one fails.

    ranks LIMIT good | agree | status | fail RANK | die RANK | stop RANK | early RANK | late RANK | wake RANK | send FILE | after BYTES

   early: stopped before MPI has begun; late: when its exchanges are done, before MPI ends; wake: as it waits for that end, and woken
   when the limit has passed, with the others 2 seconds behind it; after: rank 1 has given up an exchange that rank 2 begins. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "transport/transport.h"

static int bad(const char *what)
{
    printf("wrong: %s\n", what);
    return 1;
}

/* Numbers of every size that an exchange can have, among them none. */
static int good(struct meta_transport *t)
{
    struct meta_error e;
    static uint32_t all[100000];
    for (size_t count = 0; count < sizeof all / sizeof *all; count = count * 3 + 1) {
        for (size_t i = 0; i < count; i++) all[i] = 0;
        struct meta_part own = meta_part_own(t, count);
        for (size_t i = own.begin; i < own.end; i++)
            all[i] = (uint32_t)(i * 2654435761u);
        if (meta_transport_gather(t, all, count, sizeof *all, &e)) return bad(e.text);
        for (size_t i = 0; i < count; i++)
            if (all[i] != (uint32_t)(i * 2654435761u)) return bad("gather");
        if (!t->rank) all[0] = (uint32_t)count;
        if (meta_transport_broadcast(t, all, sizeof *all, &e)) return bad(e.text);
        if (all[0] != (uint32_t)count) return bad("broadcast");
    }
    if (meta_transport_agree(t, "the answer", "42", &e)) return bad(e.text);
    if (meta_transport_share_status(t, 0, &e)) return bad(e.text);
    if (meta_transport_barrier(t, &e)) return bad(e.text);
    printf("rank %d of %d: well\n", t->rank, t->size);
    return 0;
}

/* As a verb does: one rank tells what is wrong. */
static int say(const struct meta_transport *t, const struct meta_error *e)
{
    if (!t->hushed) printf("%s\n", e->text);
    return 1;
}

/* Exchanges without an end, in which rank `victim` does something after a while. */
static int until(struct meta_transport *t, const char *what, int victim)
{
    struct meta_error e;
    double begun = meta_now();
    uint32_t all[64] = { 0 };
    for (;;) {
        if (t->rank == victim && meta_now() - begun > .3) {
            if (!strcmp(what, "die")) raise(SIGKILL);
            if (!strcmp(what, "stop")) {
                raise(SIGSTOP);
                victim = -1; /* what goes on after that is a rank like the others */
                continue;
            }
            meta_fail(&e, "its disk is full");
            t->fail(t, e.text);
            return say(t, &e);
        }
        if (meta_transport_gather(t, all, 64, sizeof *all, &e)) return say(t, &e);
    }
}

/* Rank 0 sends a file to the others. */
static int send_file(struct meta_transport *t, const char *path)
{
    struct meta_error e;
    static char bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) return bad(path);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return meta_transport_broadcast(t, bytes, size, &e) ? bad(e.text) : 0;
}

/* Rank 0 fails, and rank 1 gives up what it would have got of rank 2, which has not heard of it when it sends. The memory stays: it is
   sent from, too. */
static int give_up(struct meta_transport *t, size_t bytes)
{
    struct meta_error e;
    unsigned char *all = calloc(3, bytes);
    if (!t->rank) t->fail(t, "its disk is full");
    if (t->rank == 2) usleep(500000);
    memset(all + t->rank * bytes, 9, bytes);
    if (!meta_transport_gather(t, all, 3, bytes, &e)) return bad("the exchange has not failed");
    if (t->rank != 1) return 0;
    memset(all, 7, 3 * bytes); /* the memory is another's by now */
    usleep(1500000);
    for (size_t i = 0; i < 3 * bytes; i++)
        if (all[i] != 7) return bad("memory is written after the exchange");
    printf("well\n");
    return 0;
}

/* Another process stops this one in a second, and wakes it when it has been in its end for longer than the limit. */
static void stop_and_wake(double limit)
{
    pid_t rank = getpid();
    if (fork()) return;
    usleep(1000000);
    kill(rank, SIGSTOP);
    usleep((useconds_t)(limit * 1e6));
    kill(rank, SIGCONT);
    _exit(0);
}

int main(int argc, char **argv)
{
    struct meta_error e;
    struct meta_transport *t;
    char value[20];
    int status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *own = getenv("OMPI_COMM_WORLD_RANK");
    if (!strcmp(argv[2], "early") && own && !strcmp(own, argv[3])) raise(SIGSTOP);
    if (meta_transport_open(&t, 1, atof(argv[1]), &e)) {
        printf("%s\n", e.text);
        _exit(1);
    }
    snprintf(value, sizeof value, "%d", t->rank == 1 ? 43 : 42);
    int ends = !strcmp(argv[2], "early") || !strcmp(argv[2], "late") || !strcmp(argv[2], "wake");
    if (ends) status = 0;
    else if (argc > 3 && !strcmp(argv[2], "send")) status = send_file(t, argv[3]);
    else if (argc > 3 && !strcmp(argv[2], "after")) status = give_up(t, (size_t)atol(argv[3]));
    else if (argc > 3) status = until(t, argv[2], atoi(argv[3]));
    else if (!strcmp(argv[2], "agree")) status = meta_transport_agree(t, "the answer", value, &e);
    else if (!strcmp(argv[2], "status"))
        status = meta_transport_share_status(t, t->rank == 1 ? meta_fail(&e, "a.jpg: is corrupt") : 0, &e);
    else status = good(t);
    if (status && argc == 3) say(t, &e);
    if (!status && (status = meta_transport_barrier(t, &e))) say(t, &e);
    if (!strcmp(argv[2], "late") && t->rank == atoi(argv[3])) {
        raise(SIGSTOP);
        _exit(1); /* mpirun wakes it before it kills it: the other rank has given it up by then */
    }
    if (!strcmp(argv[2], "wake") && t->rank == atoi(argv[3])) stop_and_wake(atof(argv[1]));
    else if (!strcmp(argv[2], "wake")) sleep(2);
    if (meta_transport_close(t, &e)) {
        printf("%s\n", e.text);
        _exit(1);
    }
    return status ? 1 : 0;
}
