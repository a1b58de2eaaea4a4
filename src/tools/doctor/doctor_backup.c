/* The doctor's look at the folder that a training writes into. */
#include "doctor.h"
#include "base/lock.h"
#include "training/checkpoint.h"
#include "training/training_file.h"
#include "network/weights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* `folder`, or the nearest folder above it that exists. The caller frees; NULL when there is no
   memory. */
static char *nearest_folder(const char *folder)
{
    char *path = strdup(folder), *slash;
    while (path && access(path, F_OK) && (slash = strrchr(path, '/')) && slash > path) *slash = 0;
    if (path && access(path, F_OK)) strcpy(path, *path == '/' ? "/" : ".");
    return path;
}

/* Bytes that a training writes: NAME_1000.weights..., NAME_final.weights, NAME_best.weights,
   NAME_average.weights, NAME.backup, NAME.state and the one that is written beside it, the log and
   the chart. */
static double run_bytes(const struct meta_model *m)
{
    double weights = 4. * meta_weights_numbers(m->network),
           state = 12. * m->network->parameters + 4. * m->network->statistics;
    if (m->net.average > 0) state += 4. * m->network->parameters + 8. * m->network->statistics;
    return (m->net.max_batches / 1000 + 4 + (m->net.average > 0)) * weights + 2 * state
        + 120. * m->net.max_batches + 1e6;
}

/* Says whether there is a checkpoint of this name, or a training that writes one now. */
static void check_earlier(struct meta_doctor *d, const char *folder)
{
    const struct meta_lock_words words = { "another training of this name is running",
                                           "wait for it, or give this one another -name" };
    char *state = NULL, *lock = NULL;
    struct meta_error error;
    struct meta_checkpoint c = { 0 };
    if (meta_training_file(&state, META_TRAINING_STATE, folder, d->model->name, &error)
        || meta_training_file(&lock, META_TRAINING_LOCK, folder, d->model->name, &error)
        || meta_lock_look(lock, words, &error))
        meta_doctor_say(d, META_WRONG, "backup", "%s", error.text);
    if (state && !access(state, F_OK)) {
        if (meta_checkpoint_read(&c, state, &error))
            meta_doctor_say(d, META_WARNING, "backup", "%s: -resume can't use it", error.text);
        else
            meta_doctor_say(d, META_WARNING, "backup",
                            "%s: is at iteration %llu: -resume goes on from it, a run without "
                            "keeps it under a name with a number",
                            state, (unsigned long long)c.iteration);
        meta_checkpoint_free(&c);
    }
    free(state);
    free(lock);
}

void meta_doctor_backup(struct meta_doctor *d)
{
    struct statvfs disk;
    struct stat info;
    if (!d->model || !d->data) return;
    const char *folder = d->data->backup ? d->data->backup : "backup";
    char *there = nearest_folder(folder);
    double need = run_bytes(d->model);
    if (!there || stat(there, &info) || statvfs(there, &disk))
        meta_doctor_say(d, META_WRONG, "backup", "backup=%s: %s: name a folder that can be written",
                        folder, strerror(errno));
    else if (!S_ISDIR(info.st_mode))
        meta_doctor_say(d, META_WRONG, "backup",
                        "backup=%s: %s is not a folder: name one that can be written", folder,
                        there);
    else if (access(there, W_OK | X_OK))
        meta_doctor_say(d, META_WRONG, "backup",
                        "backup=%s: can't write in %s: %s: name another, or chmod u+w it", folder,
                        there, strerror(errno));
    else {
        double left = (double)disk.f_bavail * disk.f_frsize;
        if (left < need)
            meta_doctor_say(d, META_WRONG, "backup",
                            "%s: %.0f MB free of the %.0f MB that a run writes: make room, or name "
                            "a folder on another disk",
                            there, left / 1e6, need / 1e6);
        else
            meta_doctor_say(d, META_OK, "backup", "%s%s: %.1f GB free, a run writes %.0f MB",
                            folder, strcmp(there, folder) ? " (to be made)" : "", left / 1e9,
                            need / 1e6);
        check_earlier(d, folder);
    }
    free(there);
}
