/* A training: what it is made of, its step, and its files. Prints nothing. Meta-training on tasks
   and supervised training on images differ in what a batch is and in what is watched of the valid
   list; all else is one. */
#ifndef META_TRAINER_H
#define META_TRAINER_H

#include "config/model.h"
#include "engine/backend.h"
#include "learning/federation.h"
#include "stats/estimate.h"
#include "tasks/dataset.h"
#include "train_log.h"
#include "training_file.h"
#include "transport/transport.h"

/* The defaults of `meta train`. */
#define META_VALID_EVERY 250
#define META_VALID_RUNS 100
/* Tasks made ahead of use, and the threads that make them. Three iterations of few tasks, one of
   many: with a ring for three, 64 tasks of 40 images of 84x84 took 0.4 GB more. */
#define META_AHEAD(tasks) ((tasks) < 16 ? 3 * (tasks) : (tasks))
#define META_LOADERS(threads) (((threads) + 1) / 2)

struct meta_training_settings {
    enum meta_training_kind kind;
    const char *data, *cfg;
    const char *name;    /* NULL: as meta_training_name makes it */
    const char *weights; /* to start from, of all layers or of the first ones; what it does not have
                            are Darknet's initial weights, drawn from `seed`; NULL: all are */
    const struct meta_backend *backend;
    uint64_t seed;
    int threads;
    int clear;        /* with weights: as if they had seen no images */
    int resume;       /* from NAME.state */
    int lines;        /* a log of JSON lines beside the CSV; one that a training has is gone on
                         with when it is resumed */
    int overwrite;    /* what a training of this name left is dropped */
    const char *fork; /* from this .state of another training, which may differ in [meta_loss]
                         alone, and whose [meta_loss] has not weighed a task yet; or NULL */
    int max_batches;  /* 0: that of [net] */
    int valid_every, valid_runs;       /* valid_every=0: the valid list is not read */
    int valid_asked;                   /* the user asked for it: a missing valid list is an error */
    struct meta_transport *transport;  /* with several ranks each makes its own tasks of an
                                          iteration, and rank 0 reads what the training starts from
                                          and writes its files. NULL: one process */
    struct meta_federation federation; /* the ranks are sites: each has a .data file of its own, and
                                          writes files of its own */
};

/* Images of one iteration: of a task-batch, or of a mini-batch. */
uint64_t meta_training_images(const struct meta_model *, enum meta_training_kind);

struct meta_trainer;

/* Reads and checks everything; an error leaves no file behind. The `test` list is not touched. The
   settings' strings must outlive the trainer. The caller frees. */
int meta_trainer_open(struct meta_trainer **, const struct meta_training_settings *,
                      struct meta_error *);
void meta_trainer_free(struct meta_trainer *);

/* With META_FEDERATED_AVERAGE, has the sites meet where the training that is resumed was stopped on
   the way to it; else, and with all others, does nothing. To be called before the first step. */
int meta_trainer_catch_up(struct meta_trainer *, struct meta_error *);
/* Of a site that is protected: how many vectors have left it so far, each scaled down and with
   noise. */
uint64_t meta_trainer_vectors(const struct meta_trainer *);
/* How many more will have left it at the end. */
uint64_t meta_trainer_vectors_left(const struct meta_trainer *);

/* Makes one iteration, fills all of *row but the figures of the valid list, and adds it to the log
   NAME.csv. After a failure nothing is saved any more. */
int meta_trainer_step(struct meta_trainer *, struct meta_row *row, struct meta_error *);
/* Whether the log could not be written since the last call, which the message says: once for
   several rows. Training goes on: the rows are written with a later one. */
int meta_trainer_log_failed(struct meta_trainer *, struct meta_error *);

/* Asks for an end, by the number of a signal; may come from another thread. With several ranks all
   of them hear of it by the end of the iteration. */
void meta_trainer_ask(struct meta_trainer *, int number);
/* The number that all ranks have heard of; 0: none. */
int meta_trainer_asked(const struct meta_trainer *);
/* Whether this rank has files: it is the first, there are no others, or it is a site. */
int meta_trainer_writes(const struct meta_trainer *);

/* Whether the valid list is watched at all. */
int meta_trainer_watches(const struct meta_trainer *);
/* Whether it is due now: after every valid_every-th iteration and after the last. */
int meta_trainer_valid_due(const struct meta_trainer *);
/* Whether the iteration that a training goes on from ended before the valid list was watched, as
   it was due; *row is then that iteration's. */
int meta_trainer_valid_missed(const struct meta_trainer *, struct meta_row *row);
/* How many steps of `progress` watching takes: tasks, or images. */
int meta_trainer_valid_steps(const struct meta_trainer *);
/* Watches, fills the rest of *row, which is the log's last, and writes NAME_best.weights when these
   are better than all before. Returns the estimate in full. */
struct meta_estimate meta_trainer_watch(struct meta_trainer *, struct meta_row *row,
                                        void (*progress)(void *context, int done), void *context);
/* -1 with a message when the last watch failed: it has no estimate, and the log's row stays as it
   was. */
int meta_trainer_watch_status(const struct meta_trainer *, struct meta_error *);

/* The row of the log whose weights are NAME_best.weights: that with the highest AUC of the valid
   list, with images with the highest accuracy. NULL: no such file has been written. A fork has seen
   its own iterations alone. */
const struct meta_row *meta_trainer_best(const struct meta_trainer *);
/* Why the best that was found before a training was resumed is not compared with what comes, a
   sentence without its full stop; NULL: it is. */
const char *meta_trainer_best_anew(const struct meta_trainer *);
/* Whether that file could not be written since the last call, which the message says. */
int meta_trainer_best_failed(struct meta_trainer *, struct meta_error *);

/* How many iterations NAME_average.weights are the average of, with META_FEDERATED_AVERAGE how many
   means of the sites; 0: none are kept. */
uint64_t meta_trainer_averaged(const struct meta_trainer *);

/* The rows of the log, (*count), valid until the next is added. */
const struct meta_row *meta_trainer_rows(const struct meta_trainer *, int *count);

/* Writes NAME.state, then NAME.backup and, with [net] average, NAME_average.weights. Each is
 * replaced whole or stays as it was. */
int meta_trainer_save(struct meta_trainer *, struct meta_error *);
/* As above, but only when an iteration was made that no checkpoint holds, or the last iteration is
   done and has not been saved from here, or the checkpoint tells of another measure of the valid
   list than the figures to come are of. May be called from another thread, whatever this one is
   doing: it waits for an update alone. *done, unless NULL, becomes the iteration that is saved. */
int meta_trainer_save_new(struct meta_trainer *, uint64_t *done, struct meta_error *);
/* Removes NAME.lock, for a thread in which the program ends at once. */
void meta_trainer_unlock(const struct meta_trainer *);
/* Writes the .weights alone, as NAME_1000.weights, numbered by the iterations done. */
int meta_trainer_save_numbered(struct meta_trainer *, struct meta_error *);
/* Writes the .weights alone, as NAME_final.weights. */
int meta_trainer_save_final(struct meta_trainer *, struct meta_error *);
/* parameters (network->parameters), statistics (network->statistics) as they are now. */
void meta_trainer_download(const struct meta_trainer *, float *parameters, float *statistics);

/* What a trainer is made of; all of it is the trainer's. */
const struct meta_training_settings *meta_trainer_settings(const struct meta_trainer *);
const struct meta_model *meta_trainer_model(const struct meta_trainer *);
const struct meta_data *meta_trainer_data(const struct meta_trainer *);
const struct meta_dataset *meta_trainer_train_set(const struct meta_trainer *);
/* NULL: the list is not read. */
const struct meta_dataset *meta_trainer_valid_set(const struct meta_trainer *);
const char *meta_trainer_path(const struct meta_trainer *, enum meta_training_file);

/* Where a trainer stands. Iterations are Darknet's batch numbers. */
uint64_t meta_trainer_done(const struct meta_trainer *);
/* meta_program_slow_layer of the network that is trained. */
int meta_trainer_slow_layer(const struct meta_trainer *, const char **implementation);
uint64_t meta_trainer_total(const struct meta_trainer *); /* max_batches */
double meta_trainer_waited(const struct meta_trainer *);  /* seconds, for images */
/* How many classes tasks are drawn of; 0 in a training on images. */
int meta_trainer_classes(const struct meta_trainer *);
/* How many of the network's first layers the weights to start from have; the count of layers where
   they have all. */
int meta_trainer_layers_read(const struct meta_trainer *);
const char *meta_trainer_name(const struct meta_trainer *);
/* What a training that was there under the same name is called now, with its folder; NULL: there
   was none. *iteration is its checkpoint's; 0: it has none that can be read. */
const char *meta_trainer_kept(const struct meta_trainer *, uint64_t *iteration);
/* Whether the checkpoint was made by another instruction set, which *was and *now then name. */
int meta_trainer_instructions_changed(const struct meta_trainer *, const char **was,
                                      const char **now);
/* The iteration after which the sites of a training that goes on met last, where that is none after
   which an unbroken training meets, every *local iterations: it had ended there. 0: it is not so.
 */
uint64_t meta_trainer_odd_meeting(const struct meta_trainer *, int *local);

#endif
