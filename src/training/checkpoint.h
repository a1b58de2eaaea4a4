/* NAME.state: everything a training needs to go on bit for bit, in one file, so that it is replaced
   whole. The .weights beside it (NAME.backup) is a copy for other programs; resuming never reads
   it, so the two need not agree. */
#ifndef META_CHECKPOINT_H
#define META_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct meta_checkpoint {
    uint64_t iteration; /* meta-iterations done */
    uint64_t seen;      /* images seen, as in a .weights file */
    uint64_t weighed; /* the first iteration in which [meta_loss] gave a task another weight than 1;
                         0: none yet */
    uint64_t updates; /* batches that have moved the rolling statistics, as in network/weights.h; 0:
                         the program that wrote it did not count them */
    const char *settings; /* what the training depends on, as in fingerprint.h */
    const void *state;    /* (state_size) aligned to 16 bytes when it was read */
    size_t state_size;
    void *owned; /* what meta_checkpoint_free frees */
};

int meta_checkpoint_write(const char *path, const struct meta_checkpoint *, struct meta_error *);
/* Fails when the file is no checkpoint, is of another version, or is damaged (by its CRC-32). The
   caller frees. */
int meta_checkpoint_read(struct meta_checkpoint *, const char *path, struct meta_error *);
void meta_checkpoint_free(struct meta_checkpoint *);

#endif
