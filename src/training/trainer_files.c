/* Names a training's files, makes their folder, and opens its log. */
#define _GNU_SOURCE
#include "trainer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

/* The longest name that a training may come to write: weights with a number, once it is kept. */
static int check_longest(const struct meta_trainer *t, struct meta_error *error)
{
    char *kept, *path = NULL;
    if (asprintf(&kept, "%s.10000", t->name) < 0) return meta_fail_memory(error);
    int status = meta_training_numbered(&path, t->folder, kept, 100000000, error)
            || meta_file_check_name(path, error)
        ? -1
        : 0;
    free(path);
    free(kept);
    return status;
}

int meta_trainer_name_files(struct meta_trainer *t, struct meta_error *error)
{
    t->folder = strdup(t->data->backup ? t->data->backup : "backup");
    if (!t->folder) return meta_fail_memory(error);
    meta_path_trim(t->folder);
    t->name = t->settings.name ? strdup(t->settings.name)
                               : meta_training_name(t->settings.cfg, t->settings.seed, error);
    if (!t->name) return meta_fail_memory(error);
    if (meta_training_check_name(t->name, error) || check_longest(t, error)) return -1;
    for (int file = 0; file < META_TRAINING_FILES; file++)
        if (meta_training_file(&t->path[file], file, t->folder, t->name, error)) return -1;
    return 0;
}

int meta_trainer_check_folder(const struct meta_trainer *t, struct meta_error *error)
{
    int failed = meta_path_make_folder(t->folder, error);
    if (!failed && (failed = access(t->folder, W_OK | X_OK)))
        meta_fail(error, "%s: can't write there: %s", t->folder, strerror(errno));
    return failed ? meta_data_blame(t->data, t->data->backup, error) : 0;
}

/* Removes the temporary files that killed trainings of this name left. */
static void sweep(const struct meta_trainer *t, const char *numbered)
{
    for (int file = 0; file < META_TRAINING_FILES; file++)
        if (file != META_TRAINING_LOG) meta_checkpoint_sweep(t->path[file], NULL);
    meta_checkpoint_sweep(numbered, META_TRAINING_NUMBERED);
}

/* The log of a fork begins with that of the training it comes from, where it lies beside the
   checkpoint. Sweeping and renaming are safe under the log's lock. */
int meta_trainer_open_log(struct meta_trainer *t, struct meta_error *error)
{
    const char *path = t->path[META_TRAINING_LOG];
    char *other = NULL, *numbered = NULL;
    if (t->settings.fork && meta_training_log_of(&other, t->settings.fork, error)) return -1;
    const char *origin = t->settings.fork ? other : path;
    int status = meta_training_numbered(&numbered, t->folder, t->name, 0, error)
            || meta_log_open(&t->log, t->settings.kind, path, error)
            || meta_log_prepare(&t->log, origin, t->done, t->total - t->done, error)
            || (!t->settings.resume && meta_trainer_keep(t, error))
        ? -1
        : 0;
    if (!status) {
        sweep(t, numbered);
        status = meta_log_begin(&t->log, error);
    }
    free(numbered);
    free(other);
    return status;
}
