/* Opens the ranks of a verb, and has one of them speak. */
#include "ranks.h"

#include <stdio.h>
#include <stdlib.h>

#include "console.h"

#define PATIENCE 30

int meta_ranks_open(struct meta_transport **out, const struct meta_ranks_flags *flags)
{
    struct meta_error error;
    int patience = meta_flag_int("-patience", flags->patience, PATIENCE, 1, 1000000);
    if (meta_transport_open(out, flags->mpi, patience, &error)) return meta_complain(&error);
    /* mpirun gives a rank a terminal, whatever its own output is */
    if (meta_transport_many(*out)) setenv("TERM", "dumb", 1);
    if ((*out)->rank && !freopen("/dev/null", "w", stdout)) {
        meta_fail(&error, "rank %d: /dev/null can't be opened", (*out)->rank);
        meta_transport_close(*out);
        return meta_complain(&error);
    }
    return 0;
}

int meta_ranks_complain(struct meta_transport *t, const struct meta_error *error)
{
    if (t->hushed) return 1;
    t->fail(t, error->text);
    return meta_complain(error);
}
