/* The flags of a training whose ranks are sites with images of their own. */
#ifndef META_COMMANDS_FEDERATED_H
#define META_COMMANDS_FEDERATED_H

#include "flags.h"
#include "training/trainer.h"

struct meta_federated_flags {
    const char *mode, *local, *share, *clip, *noise, *delta, *sites;
};

/* The rows of these flags, for a verb's table: META_FEDERATED_COUNT of them. */
#define META_FEDERATED_COUNT 7
#define META_FEDERATED_ROWS(f)                                                                     \
    { "-federated", "MODE",                                                                        \
      "each rank is a site with its own DATA: gradients (they meet in each iteration) or average " \
      "(weights do)",                                                                              \
      &(f).mode, NULL },                                                                           \
        { "-site", "LIST",                                                                         \
          "in place of DATA: the sites' .data files by rank, a,b,c or a file with a line each",    \
          &(f).sites, NULL },                                                                      \
        { "-local", "N", "iterations between two means of -federated average (10)", &(f).local,    \
          NULL },                                                                                  \
        { "-share", "WHAT", "a site counts by its tasks (tasks), or each alike (equal) (tasks)",   \
          &(f).share, NULL },                                                                      \
        { "-clip_site", "C", "a site sends one vector, scaled down to this norm", &(f).clip,       \
          NULL },                                                                                  \
        { "-noise", "S", "and with noise of S times C in each number", &(f).noise, NULL },         \
    {                                                                                              \
        "-delta", "D", "for which the epsilon of that noise is told (0.00001)", &(f).delta, NULL   \
    }

/* Reads the flags, but for -site, into *out. Returns 0, or complains and returns 1. */
int meta_federated_read(struct meta_federation *out, const struct meta_federated_flags *);
/* Makes the ranks sites, and names the .data file of this one, *data, which -site may say. The
   caller frees *owned in the end. */
int meta_federated_open(const struct meta_federated_flags *, struct meta_training_settings *,
                        char **owned, struct meta_error *);
/* Says what the noise of a site buys: for all that it has sent, and at the start for all that it
   will have in the end. */
void meta_federated_tell(const struct meta_trainer *, const struct meta_federated_flags *,
                         int is_start);

#endif
