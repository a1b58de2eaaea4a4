/* The ranks of a verb that runs over several: flags, and who prints. */
#ifndef META_COMMANDS_RANKS_H
#define META_COMMANDS_RANKS_H

#include "flags.h"
#include "transport/transport.h"

struct meta_ranks_flags {
    int mpi;
    const char *patience;
};

/* The rows of the flags -mpi and -patience, for a verb's table. */
#define META_RANKS_ROWS(f)                                                                         \
    { "-mpi", NULL, "one of several ranks that mpirun or srun has started (it tells so itself)",   \
      NULL, &(f).mpi },                                                                            \
    {                                                                                              \
        "-patience", "SECONDS", "after which a rank that is silent is given up (30)",              \
            &(f).patience, NULL                                                                    \
    }

/* Makes the ranks sites: from now on what one of them but the first prints, complaints too, goes to
   the end of the file `output`, at the site, and of a complaint one line without its words to the
   terminal. Where the file can't be written that is all that there is: -1. */
int meta_ranks_discreet(struct meta_transport *, const char *output, struct meta_error *);
/* Opens the transport. From now on ranks but the first print nothing to standard output. Returns 0,
   or complains and returns 1; where MPI does not begin, the process ends there. */
int meta_ranks_open(struct meta_transport **, const struct meta_ranks_flags *);
/* Whether what this rank warns of on standard error is told once: it is the first, or a site, whose
   warnings stay there. */
int meta_ranks_warns(const struct meta_transport *);
/* Tells the message to the user, where this rank is the one to tell it, and to ranks that may wait
   for this one; returns 1. */
int meta_ranks_complain(struct meta_transport *, const struct meta_error *);
/* Where a rank ends before the others mpirun ends these, too, whatever they are doing. A rank that
   is to save before it ends tells so, and then that it has; any thread may call these. */
void meta_ranks_tell_saving(struct meta_transport *, int done);
/* Whether a rank that this one must not end before has not saved yet: the first, which has the
   files of all, or, of sites, one that has told that it is to save. */
int meta_ranks_unsaved(struct meta_transport *, int sites);
/* Waits, after a status of 0 or 128 and a signal, until all ranks are at their end; else tells
   them. Returns the status; in place of 0, with a message, 1 where a rank does not come to its end.
 */
int meta_ranks_meet(struct meta_transport *, int status);
/* Closes the transport, and returns the status. Where MPI does not end the process ends there. */
int meta_ranks_close(struct meta_transport *, int status);

#endif
