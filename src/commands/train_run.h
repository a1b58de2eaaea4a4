/* A training as a command shows it, from its first iteration to its end. */
#ifndef META_TRAIN_RUN_H
#define META_TRAIN_RUN_H

#include "training/trainer.h"

/* Trains to the end, or until a signal asks for an end: then it saves at once, whatever it is
   doing, and ends within a second. Prints as it goes, and saves every backup_every iterations.
   Returns the exit status. */
int meta_train_run(struct meta_trainer *, int backup_every);

#endif
