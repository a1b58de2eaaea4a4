/* The names of a training's files in its backup folder. */
#ifndef META_TRAINING_FILE_H
#define META_TRAINING_FILE_H

#include <stdint.h>
#include "base/error.h"

enum meta_training_file {
    META_TRAINING_STATE,   /* NAME.state: the checkpoint */
    META_TRAINING_BACKUP,  /* NAME.backup: the .weights beside it */
    META_TRAINING_FINAL,   /* NAME_final.weights: there when the training has ended */
    META_TRAINING_BEST,    /* NAME_best.weights: those that the valid list finds best */
    META_TRAINING_AVERAGE, /* NAME_average.weights: with [net] average, beside the checkpoint */
    META_TRAINING_LOG,     /* NAME.csv */
    META_TRAINING_LINES,   /* NAME.jsonl: with -log */
    META_TRAINING_CHART,   /* chart_NAME.png */
    META_TRAINING_BEFORE, /* NAME_before.state: of a site, its last checkpoint from before the sites
                             met last */
    META_TRAINING_SENT,   /* NAME_sent.csv: what has left a site */
    META_TRAINING_FILES,  /* how many there are */
    META_TRAINING_LOCK = META_TRAINING_FILES /* NAME.lock: there while the training runs */
};

/* The name of a training that is given none: that of the .cfg, without folder and ending, and where
   the seed is not the usual one "-seedN" behind it. The caller frees; NULL when there is no
   memory. */
#define META_TRAINING_SEED 1
char *meta_training_name(const char *cfg, uint64_t seed, struct meta_error *);
/* Refuses what can't be a training's name: an empty one, one with a slash or a dot in front, one
   that ends as files of another training do, _before or _sent, and one so long that its files can't
   be made. */
int meta_training_check_name(const char *name, struct meta_error *);

/* The caller frees *path; it is NULL when there is no memory. */
int meta_training_file(char **path, enum meta_training_file, const char *folder, const char *name,
                       struct meta_error *);
/* NAME_1000.weights, or with number 0 the "NAME_" that such names begin with;
   META_TRAINING_NUMBERED is how they end. Both parts together serve to look for them. The caller
   frees *path, as above. */
#define META_TRAINING_NUMBERED ".weights"
int meta_training_numbered(char **path, const char *folder, const char *name, uint64_t number,
                           struct meta_error *);
/* The log of the training whose checkpoint is `state`; NULL when that is not called NAME.state. The
   caller frees *path, as above. */
int meta_training_log_of(char **path, const char *state, struct meta_error *);

#endif
