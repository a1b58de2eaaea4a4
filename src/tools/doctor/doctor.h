/* What `darknet meta doctor` looks at before a training, an adaptation or a prediction begins. */
#ifndef META_DOCTOR_H
#define META_DOCTOR_H

#include "doctor_dry_run.h"
#include "doctor_say.h"

/* Looks at everything, in the order of the functions below; what can't be looked at because
   something before it is wrong is left out. The caller sets the first members of the doctor, up to
   `context`, zeroes the others, and calls meta_doctor_clear also after a failure. Forks: to be
   called while this process has no other threads. */
int meta_doctor_examine(struct meta_doctor *, struct meta_error *);
void meta_doctor_clear(struct meta_doctor *);

/* The parts. Each says what it finds and needs what the ones before it have read. */

/* libdarknet, the stock program, plugins, gnuplot */
void meta_doctor_programs(struct meta_doctor *);
/* the .cfg: reads the model, and goes on to the schedule */
void meta_doctor_cfg(struct meta_doctor *);
/* the weights, where there are some */
void meta_doctor_weights(struct meta_doctor *);
/* settings of the model that never come into effect */
void meta_doctor_schedule(struct meta_doctor *);
/* the .data file: reads it */
void meta_doctor_data(struct meta_doctor *);
/* every image of every list; classes, groups, what lists share */
void meta_doctor_lists(struct meta_doctor *);
/* images of all lists that seem to show one and the same; writes d->merge */
void meta_doctor_alike(struct meta_doctor *);
/* of adapt: how many classes, and whether their images are like those of the training */
void meta_doctor_support(struct meta_doctor *);
/* of predict: the images that are asked about */
void meta_doctor_asked(struct meta_doctor *);
/* the folder that a training writes into */
void meta_doctor_backup(struct meta_doctor *);
/* memory and hours, by the dry run */
void meta_doctor_cost(struct meta_doctor *);

/* The two findings of meta_doctor_cost: whether what a training takes fits into `available` bytes,
   and how long it lasts. */
void meta_doctor_memory(struct meta_doctor *, const struct meta_dry_run *, double available);
void meta_doctor_time(struct meta_doctor *, const struct meta_dry_run *);
/* Bytes that this process may still take: what the machine has, what its control group and its own
   limit (ulimit -v) leave. */
double meta_memory_available(void);

#endif
