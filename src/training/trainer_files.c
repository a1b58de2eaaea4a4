/* Names a training's files, makes their folder, and sets aside what a training of the same name
   left there. */
#define _GNU_SOURCE
#include "trainer_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

int meta_trainer_name_files(struct meta_trainer *t, struct meta_error *error)
{
    t->folder = strdup(t->data->backup ? t->data->backup : "backup");
    if (!t->folder) return meta_fail_memory(error);
    meta_path_trim(t->folder);
    for (int file = 0; file < META_TRAINING_FILES; file++)
        if (meta_training_file(&t->path[file], file, t->folder, t->model->name, error)) return -1;
    return 0;
}

int meta_trainer_check_folder(const struct meta_trainer *t, struct meta_error *error)
{
    int failed = meta_path_make_folder(t->folder, error);
    if (!failed && (failed = access(t->folder, W_OK | X_OK)))
        meta_fail(error, "%s: can't write there: %s", t->folder, strerror(errno));
    return failed ? meta_data_blame(t->data, t->data->backup, error) : 0;
}

/* PATH.old; the caller frees. NULL: there is no memory, which *error says. */
static char *old_name(const char *path, struct meta_error *error)
{
    char *old;
    if (asprintf(&old, "%s.old", path) >= 0) return old;
    meta_fail_memory(error);
    return NULL;
}

/* The log is copied, not renamed: the file itself is locked. */
static int copy_log(const struct meta_trainer *t, const char *to, struct meta_error *error)
{
    struct meta_chunk whole = { 0 };
    char *data;
    if (meta_file_read(t->path[META_TRAINING_LOG], &data, &whole.size, error)) return -1;
    whole.data = data;
    int status = meta_file_write(to, &whole, 1, error);
    free(data);
    return status;
}

/* The iteration of a checkpoint, at least 1; 1 for one that can't be read; 0: there is none. */
static uint64_t iteration_of(const char *path)
{
    struct meta_checkpoint c;
    struct meta_error ignored;
    if (access(path, F_OK)) return 0;
    if (meta_checkpoint_read(&c, path, &ignored)) return 1;
    uint64_t iteration = c.iteration;
    meta_checkpoint_free(&c);
    return iteration ? iteration : 1;
}

/* Whether the log is longer than the one that is kept; also when one of them can't be looked at. */
static int log_is_longer(const struct meta_trainer *t, const char *old_log)
{
    struct stat kept, log;
    return stat(old_log, &kept) || stat(t->path[META_TRAINING_LOG], &log)
        || kept.st_size < log.st_size;
}

/* A training that begins under the name of an earlier one keeps the checkpoint and log of that one,
   unless those of a longer training are kept already. Copies the old log, before the new one is
   begun; *to becomes what the checkpoint is to be called, NULL: it stays. The caller frees *to. */
static int set_aside(struct meta_trainer *t, char **to, struct meta_error *error)
{
    const char *state = t->path[META_TRAINING_STATE];
    int rows, longer, status = -1;
    *to = NULL;
    if (t->settings.resume) return 0;
    if (meta_log_own(&t->log, &rows, error)) return -1;
    uint64_t there = iteration_of(state), before;
    char *old = old_name(state, error), *old_log = old_name(t->path[META_TRAINING_LOG], error);
    if (!old || !old_log) goto done;
    /* a training that left a log and no weights came to nothing */
    rows = rows
        && (!access(t->path[META_TRAINING_BACKUP], F_OK)
            || !access(t->path[META_TRAINING_FINAL], F_OK));
    before = iteration_of(old);
    longer = before ? before < there : (there || rows) && log_is_longer(t, old_log);
    if (longer && copy_log(t, old_log, error)) goto done;
    if (longer && there) {
        t->aside = there;
        *to = old;
        old = NULL;
    }
    status = 0;
done:
    free(old);
    free(old_log);
    return status;
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
    const char *path = t->path[META_TRAINING_LOG], *state = t->path[META_TRAINING_STATE];
    char *other = NULL, *numbered = NULL, *old = NULL;
    if (t->settings.fork && meta_training_log_of(&other, t->settings.fork, error)) return -1;
    const char *origin = t->settings.fork ? other : path;
    int status = meta_training_numbered(&numbered, t->folder, t->model->name, 0, error)
            || meta_log_open(&t->log, t->settings.kind, path, error) || set_aside(t, &old, error)
        ? -1
        : 0;
    if (!status) {
        sweep(t, numbered);
        status = meta_log_begin(&t->log, origin, t->done, t->total - t->done, error);
    }
    if (!status && old && rename(state, old))
        status = meta_fail(error, "%s: can't rename to %s: %s", state, old, strerror(errno));
    free(numbered);
    free(other);
    free(old);
    return status;
}
