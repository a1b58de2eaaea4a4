/* Options of other Darknets that change training alone. */
#ifndef META_TRAINING_KEYS_H
#define META_TRAINING_KEYS_H

#include "cfg.h"
#include "model.h"

/* Takes options out of the section that `darknet meta` does not have and that are read in training
   alone: nothing else depends on them. Where the network is to be trained, one that is not off
   fails, with file and line. */
int meta_training_keys_drop(struct meta_section *, const char *path, enum meta_purpose,
                            struct meta_error *);

#endif
