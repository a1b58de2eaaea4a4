/* Keeps what a training of the same name left: its files get a number behind the name. */
#define _GNU_SOURCE
#include "trainer_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "learning/rates_file.h"
#include "network/temperature_file.h"
#include "tasks/file_id.h"

#define KEEPING "keeping "

/* What follows NAME in the name of one of a training's files; NULL: the file is another's. */
static const char *behind_name(const char *file, const char *name)
{
    size_t n = strlen(name);
    return strncmp(file, name, n) ? NULL : file + n;
}

/* Whether the name is NAME_1000.weights. */
static int is_numbered(const char *file, const char *name)
{
    const char *end = behind_name(file, name);
    if (!end || *end != '_' || !isdigit((unsigned char)end[1])) return 0;
    return !strcmp(end + 1 + strspn(end + 1, "0123456789"), META_TRAINING_NUMBERED);
}

/* The number of a file of the training NAME.N, "chart_" taken off the front; 0: it is of none. */
static long number_of(const char *file, const char *name)
{
    int chart = !strncmp(file, "chart_", 6) && strncmp(name, "chart_", 6) != 0;
    const char *end = behind_name(file + (chart ? 6 : 0), name);
    if (!end || *end != '.' || !isdigit((unsigned char)end[1])) return 0;
    char *rest;
    long number = strtol(end + 1, &rest, 10);
    return *rest == '.' || *rest == '_' ? number : 0;
}

/* What is in the folder of trainings of this name. */
struct found {
    char **numbered; /* (count) names of the weights with a number, without folder */
    int count;
    long last; /* the highest number of those that are kept */
};

static void clear_found(struct found *f)
{
    for (int i = 0; i < f->count; i++) free(f->numbered[i]);
    free(f->numbered);
}

static int look(const struct meta_trainer *t, struct found *f, struct meta_error *error)
{
    DIR *d = opendir(t->folder);
    *f = (struct found){ 0 };
    if (!d) return meta_fail(error, "%s: can't list it: %s", t->folder, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        long number = number_of(e->d_name, t->name);
        if (number > f->last) f->last = number;
        if (!is_numbered(e->d_name, t->name)) continue;
        char **grown = realloc(f->numbered, (f->count + 1) * sizeof *grown);
        if (grown) f->numbered = grown;
        if (!grown || !(f->numbered[f->count] = strdup(e->d_name))) {
            closedir(d);
            return meta_fail_memory(error);
        }
        f->count++;
    }
    closedir(d);
    return 0;
}

static int copy(const char *from, const char *to, struct meta_error *error)
{
    struct meta_chunk whole = { 0 };
    char *data;
    if (meta_file_read(from, &data, &whole.size, error)) return -1;
    whole.data = data;
    int status = meta_file_write(to, &whole, 1, error);
    free(data);
    return status;
}

/* Whether the training starts from the file. It then stays where the command line says until it is
   replaced, so that the same command can be given again. */
static int is_start(const struct meta_trainer *t, const char *path)
{
    const char *const starts[] = { t->settings.weights, t->settings.fork };
    for (int i = 0; i < 2; i++)
        if (starts[i] && meta_file_id_same(path, starts[i])) return 1;
    return 0;
}

/* Renames a file that may not be there; to: NULL removes it. stays: it is copied, or left alone. */
static int move(const char *from, const char *to, int stays, struct meta_error *error)
{
    if (access(from, F_OK)) return 0;
    if (stays) return to ? copy(from, to, error) : 0;
    if (to ? !rename(from, to) : !unlink(from)) return 0;
    return meta_fail(error, "%s: can't %s: %s", from, to ? "rename" : "remove", strerror(errno));
}

/* Moves a file beside weights; takes over both paths, of which `to` may be NULL where it isn't
   wanted. */
static int move_beside(char *from, char *to, int wanted, int stays, struct meta_error *error)
{
    int status = from && (to || !wanted) ? move(from, to, stays, error) : meta_fail_memory(error);
    free(from);
    free(to);
    return status;
}

/* Moves weights, and the learned rates and the temperatures beside them, which stay with them. */
static int move_weights(const struct meta_trainer *t, const char *from, const char *to,
                        struct meta_error *error)
{
    int stays = is_start(t, from), wanted = to != NULL;
    return move(from, to, stays, error)
            || move_beside(meta_rates_path(from), to ? meta_rates_path(to) : NULL, wanted, stays,
                           error)
            || move_beside(meta_temperatures_path(from, error),
                           to ? meta_temperatures_path(to, error) : NULL, wanted, stays, error)
        ? -1
        : 0;
}

static int is_weights(enum meta_training_file file)
{
    return file == META_TRAINING_BACKUP || file == META_TRAINING_FINAL || file == META_TRAINING_BEST
        || file == META_TRAINING_AVERAGE;
}

/* Moves all; name: of the training that they become, NULL: of none. The checkpoint goes first:
   while it is there, everything is where it was. */
static int move_all(const struct meta_trainer *t, const struct found *f, const char *name,
                    struct meta_error *error)
{
    static const enum meta_training_file order[] = { META_TRAINING_STATE,  META_TRAINING_BEFORE,
                                                     META_TRAINING_BACKUP, META_TRAINING_FINAL,
                                                     META_TRAINING_BEST,   META_TRAINING_AVERAGE,
                                                     META_TRAINING_LOG,    META_TRAINING_LINES,
                                                     META_TRAINING_CHART,  META_TRAINING_SENT };
    _Static_assert(sizeof order / sizeof *order == META_TRAINING_FILES, "each file has its place");
    char *from = NULL, *to = NULL;
    int status = 0;
    for (int i = 0; i < META_TRAINING_FILES && !status; i++) {
        if (name && meta_training_file(&to, order[i], t->folder, name, error)) return -1;
        status = is_weights(order[i])
            ? move_weights(t, t->path[order[i]], to, error)
            : move(t->path[order[i]], to, is_start(t, t->path[order[i]]), error);
        free(to);
        to = NULL;
    }
    for (int i = 0; i < f->count && !status; i++) {
        const char *end = f->numbered[i] + strlen(t->name);
        if (asprintf(&from, "%s/%s", t->folder, f->numbered[i]) < 0) from = NULL;
        if (name && asprintf(&to, "%s/%s%s", t->folder, name, end) < 0) to = NULL;
        status = from && (to || !name) ? move_weights(t, from, to, error) : meta_fail_memory(error);
        free(from);
        free(to);
        from = to = NULL;
    }
    return status;
}

static uint64_t iteration_of(const char *state)
{
    struct meta_checkpoint c;
    struct meta_error ignored;
    if (meta_checkpoint_read(&c, state, &ignored)) return 0;
    uint64_t iteration = c.iteration;
    meta_checkpoint_free(&c);
    return iteration;
}

/* Gives all files the number. The lock's file notes it, so that the next run of this name goes on
   where this one is killed. */
static int keep(struct meta_trainer *t, const struct found *f, long number,
                struct meta_error *error)
{
    char *name, note[META_LOCK_NOTE];
    snprintf(note, sizeof note, KEEPING "%ld", number);
    if (asprintf(&name, "%s.%ld", t->name, number) < 0) return meta_fail_memory(error);
    int status = asprintf(&t->kept, "%s/%s", t->folder, name);
    if (status < 0) t->kept = NULL;
    t->kept_iteration = iteration_of(t->path[META_TRAINING_STATE]);
    if (status < 0) status = meta_fail_memory(error);
    else
        status = meta_lock_write_note(&t->running, note, error) || move_all(t, f, name, error)
                || meta_lock_write_note(&t->running, "", error)
            ? -1
            : 0;
    free(name);
    return status;
}

/* Where the checkpoint is still here when the training is resumed, nothing had been moved. */
int meta_trainer_finish_keeping(struct meta_trainer *t, struct meta_error *error)
{
    struct found f;
    long number;
    if (sscanf(t->running.note, KEEPING "%ld", &number) != 1) return 0;
    if (t->settings.resume) return meta_lock_write_note(&t->running, "", error);
    int status = look(t, &f, error);
    if (!status) status = keep(t, &f, number, error);
    clear_found(&f);
    return status;
}

/* A training that left a log and no weights came to nothing: its log is begun anew. */
int meta_trainer_keep(struct meta_trainer *t, struct meta_error *error)
{
    struct found f;
    if (meta_log_own(&t->log, error) || meta_log_own_lines(t->path[META_TRAINING_LINES], error))
        return -1;
    int status = look(t, &f, error);
    if (!status && t->settings.overwrite) status = move_all(t, &f, NULL, error);
    else if (!status
             && (f.count || !access(t->path[META_TRAINING_STATE], F_OK)
                 || !access(t->path[META_TRAINING_BACKUP], F_OK)
                 || !access(t->path[META_TRAINING_FINAL], F_OK)
                 || !access(t->path[META_TRAINING_BEST], F_OK)
                 || !access(t->path[META_TRAINING_AVERAGE], F_OK)))
        status = keep(t, &f, f.last + 1, error);
    clear_found(&f);
    return status;
}
