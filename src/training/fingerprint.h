/* What the weights that a training makes depend on, as lines "what=value": kept in its checkpoint,
   and compared when the training is resumed. */
#ifndef META_FINGERPRINT_H
#define META_FINGERPRINT_H

#include <stdio.h>

#include "engine/backend.h"
#include "tasks/dataset.h"
#include "config/model.h"
#include "learning/federation.h"
#include "transport/transport.h"

struct meta_fingerprint_parts {
    const struct meta_model *model;
    const struct meta_backend *backend;
    uint64_t seed;
    const struct meta_dataset *train;         /* NULL: no lines of data, and none of one site */
    const struct meta_federation *federation; /* NULL, or of no mode: no lines of sites */
    int sites, site;
};
/* Lines for the seed, the backend and its instruction set, every option of the .cfg but those that
   no weights depend on (test_steps, and max_batches unless the policy reads it), its plugins that
   do not come with the program, the classes, groups and files of the training images
   (tasks/identity.h), and that some of them were decoded at a part of their size, where that is so;
   and how sites train together, how many there are and
   which one this is. The caller frees *text. */
int meta_fingerprint(char **text, const struct meta_fingerprint_parts *, struct meta_error *);

/* Whether the two fingerprints are of different instruction sets, and which: a training that goes
   on from the first is then equal to an unbroken one to rounding, not bit for bit. A longer name
   is cut. */
enum { META_INSTRUCTIONS = 64 };
int meta_fingerprint_moved(const char *checkpoint, const char *now, char was[META_INSTRUCTIONS],
                           char is[META_INSTRUCTIONS]);

/* A line that says what the figures of the valid list are of, which a training may add to its text:
   no weights depend on it, and it is not compared. */
#define META_FINGERPRINT_MEASURE "valid list="
/* Its value in a text, which the caller frees; NULL: there is no such line, or no memory. */
char *meta_fingerprint_measure(const char *text);

/* Writes the lines for a .cfg, its sections and their options, to f; all: with max_batches and
   test_steps. */
int meta_fingerprint_cfg(FILE *f, const char *path, int all, struct meta_error *);
/* Writes a line for each plugin of a .cfg that does not come with the program, and may be changed:
   the digest of its file. */
int meta_fingerprint_plugins(FILE *f, const char *path, struct meta_error *);

/* Compares the texts of two processes that are to train together, instruction sets too: -1 with the
   first line that differs, "KEY is VALUE here, but OTHER". */
int meta_fingerprint_differ(const char *here, const char *there, struct meta_error *);
/* Fails on a rank whose text of such lines is not that of rank 0. All ranks call it; the others
   hear of it by meta_transport_share_status. */
int meta_fingerprint_ranks(struct meta_transport *, const char *text, struct meta_error *);

/* 0 when the two agree; else the error names the first line that differs, with both values. Numbers
   are compared as numbers. A checkpoint may lack lines of plugins. */
int meta_fingerprint_compare(const char *checkpoint, const char *now, struct meta_error *);
/* As above, but for the lines of [meta_loss], which either may lack. */
int meta_fingerprint_compare_unweighed(const char *checkpoint, const char *now,
                                       struct meta_error *);

#endif
