/* What `darknet meta doctor` looks at before a run is begun, and how it says what it found. */
#ifndef META_DOCTOR_H
#define META_DOCTOR_H

#include "base/child.h"
#include "tasks/data_file.h"
#include "config/model.h"
#include "base/pool.h"

enum meta_verdict { META_OK, META_WARNING, META_WRONG };

/* One list of the .data file. */
struct meta_ward { const char *name, *path; struct meta_dataset *set; struct meta_survey survey; double seconds; };
enum { META_WARD_TRAIN, META_WARD_VALID, META_WARD_TEST, META_WARDS };

/* What iterations on random data took: seconds of each kind of work, the mean, and those of its fastest and slowest fifth; NaN where there is
   none of it. */
struct meta_spell { double middle, least, most; };
struct meta_trial {
    struct meta_spell first, second, valid;    /* an iteration of order 1; of order 2; a task of a valid AUC */
    double peak, kept;                         /* bytes: the process at its largest; what training keeps for checkpoints besides */
};

struct meta_doctor {
    const char *data_path, *cfg_path;
    int threads;
    double seconds;                            /* that each kind of work is timed for */
    double load;                               /* processors that were busy before it began, over the last minute */
    int count[META_WRONG + 1];                 /* findings by verdict */
    struct meta_model *model;                  /* NULL: could not be read */
    struct meta_data *data;                    /* the same */
    struct meta_child *child;                  /* does the trial */
    struct meta_ward ward[META_WARDS];
    double reading;                            /* bytes that decoding took besides the images */
};

/* Prints one finding, "warning  gnuplot    not found: ...", and counts it. What is wrong says how to mend it. */
void meta_doctor_say(struct meta_doctor *, enum meta_verdict, const char *subject, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Each says what it finds. They build on the ones before; what can't be looked at because something before is wrong is left out. */
void meta_doctor_programs(struct meta_doctor *);    /* libdarknet, the stock program, plugins, gnuplot */
void meta_doctor_cfg(struct meta_doctor *);         /* reads the model */
void meta_doctor_data(struct meta_doctor *);        /* reads the .data file */
void meta_doctor_lists(struct meta_doctor *);       /* every image of every list; classes, groups, what lists share */
void meta_doctor_backup(struct meta_doctor *);      /* the folder that a run writes into */
void meta_doctor_run(struct meta_doctor *);         /* memory and hours */

/* The child's side; numbers are those of a struct meta_trial, one after the other. */
int meta_trial_serve(void *doctor, double *numbers, struct meta_error *);
/* Bytes that this process may still take: what the machine has, what its control group and its own limit (ulimit -v) leave. */
double meta_memory_available(void);

#endif
