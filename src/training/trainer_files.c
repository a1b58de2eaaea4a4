/* Names a training's files, makes their folder, and opens its log. */
#define _GNU_SOURCE
#include "trainer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/leftovers.h"
#include "base/path.h"
#include "learning/rates_file.h"

static const struct meta_lock_words running = { "another training of this name is running here",
                                                "wait for it, or give this one another -name" };

/* Told before long work; the lock is taken when there is something to write. */
static int look_at_lock(const struct meta_trainer *t, struct meta_error *error)
{
    char *path;
    if (meta_training_file(&path, META_TRAINING_LOCK, t->folder, t->name, error)) return -1;
    int status = meta_lock_look(path, running, error);
    free(path);
    return status;
}

static int take_lock(struct meta_trainer *t, struct meta_error *error)
{
    char *path;
    if (meta_training_file(&path, META_TRAINING_LOCK, t->folder, t->name, error)) return -1;
    int status = meta_lock_take(&t->running, path, 0, running, error);
    free(path);
    return status;
}

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
    return meta_trainer_writes(t) ? look_at_lock(t, error) : 0;
}

int meta_trainer_check_folder(const struct meta_trainer *t, struct meta_error *error)
{
    if (!meta_trainer_writes(t)) return 0;
    int failed = meta_path_make_folder(t->folder, error);
    if (!failed && (failed = access(t->folder, W_OK | X_OK)))
        meta_fail(error, "%s: can't write there: %s", t->folder, strerror(errno));
    return failed ? meta_data_blame(t->data, t->data->backup, error) : 0;
}

static void sweep_rates(const char *weights)
{
    char *rates = meta_rates_path(weights);
    if (rates) meta_leftovers_remove(rates, NULL);
    free(rates);
}

/* Removes the temporary files that killed trainings of this name left. */
static int sweep(const struct meta_trainer *t, struct meta_error *error)
{
    char *numbered;
    if (meta_training_numbered(&numbered, t->folder, t->name, 0, error)) return -1;
    for (int file = 0; file < META_TRAINING_FILES; file++)
        meta_leftovers_remove(t->path[file], NULL);
    meta_leftovers_remove(numbered, META_TRAINING_NUMBERED);
    meta_leftovers_remove(numbered, META_RATES_END);
    sweep_rates(t->path[META_TRAINING_BACKUP]);
    sweep_rates(t->path[META_TRAINING_FINAL]);
    sweep_rates(t->path[META_TRAINING_BEST]);
    sweep_rates(t->path[META_TRAINING_AVERAGE]);
    free(numbered);
    return 0;
}

/* The log of a fork begins with that of the training it comes from, where it lies beside the
   checkpoint. That of a training from weights is its own, however many images these have seen: what
   lies there is another training's. */
static int read_log(struct meta_trainer *t, struct meta_error *error)
{
    const char *path = t->path[META_TRAINING_LOG], *origin = t->settings.resume ? path : NULL;
    char *other = NULL;
    if (t->settings.fork && meta_training_log_of(&other, t->settings.fork, error)) return -1;
    if (t->settings.fork) origin = other;
    int status = meta_log_open(&t->log, t->settings.kind, path, error)
            || meta_log_prepare(&t->log, origin, t->done, t->total - t->done, error)
        ? -1
        : 0;
    free(other);
    return status;
}

/* The log of JSON lines. What one that came to nothing left is removed. */
static int begin_lines(struct meta_trainer *t, struct meta_error *error)
{
    const char *path = t->path[META_TRAINING_LINES];
    int there = !access(path, F_OK);
    if (!t->settings.lines && !(there && t->settings.resume)) {
        if (there) unlink(path);
        return 0;
    }
    return meta_log_follow(&t->lines, &t->log, path, error) || meta_log_begin(&t->lines, error) ? -1
                                                                                                : 0;
}

void meta_trainer_unlock(const struct meta_trainer *t) { meta_lock_unlink(&t->running); }

int meta_trainer_open_log(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_row row;
    if (!meta_trainer_writes(t)) return 0;
    if (take_lock(t, error) || meta_trainer_finish_keeping(t, error) || read_log(t, error)
        || meta_trainer_measure(t, error) || (!t->settings.resume && meta_trainer_keep(t, error))
        || sweep(t, error) || meta_trainer_go_back(t, error) || meta_trainer_open_record(t, error))
        return -1;
    if (t->settings.resume) meta_trainer_find_best(t, meta_trainer_valid_missed(t, &row));
    t->old_final = t->settings.resume && !access(t->path[META_TRAINING_FINAL], F_OK);
    return meta_log_begin(&t->log, error) || begin_lines(t, error) ? -1 : 0;
}
