/* What a training run calls its files, in its backup folder. */
#ifndef META_RUN_FILE_H
#define META_RUN_FILE_H

#include <stdint.h>
#include "base/error.h"

enum meta_run_file {
    META_RUN_STATE,                /* NAME.state: to go on from */
    META_RUN_BACKUP,               /* NAME.backup: its .weights */
    META_RUN_FINAL,                /* NAME_final.weights: there when the run has ended */
    META_RUN_LOG,                  /* NAME.csv */
    META_RUN_CHART                 /* chart_NAME.png */
};

/* name: the .cfg's, without folder and ending. The caller frees *path, which is NULL on failure: there was no memory. */
int meta_run_file(char **path, enum meta_run_file, const char *folder, const char *name, struct meta_error *);
/* NAME_1000.weights, or with number 0 the "NAME_" that such names begin with: in two parts, so that they can be looked for. */
#define META_RUN_NUMBERED ".weights"
int meta_run_numbered(char **path, const char *folder, const char *name, uint64_t number, struct meta_error *error);
/* The log of the run whose checkpoint is `state`; NULL when that isn't called NAME.state. As above. */
int meta_run_log_of(char **path, const char *state, struct meta_error *);

#endif
