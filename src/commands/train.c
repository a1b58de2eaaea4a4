/* `meta train` and `meta pretrain`: trains by the flags, shows how far it is, and saves what is
   due. */
#define _GNU_SOURCE
#include "training/chart.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/pool.h"
#include "flags.h"
#include "console.h"
#include "training/trainer.h"
#include "base/plural.h"
#include "stats/estimate.h"
#include "usage.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define KEEP_EVERY 1000 /* NAME_1000.weights, NAME_2000.weights... */

static volatile sig_atomic_t stop;

/* A second signal, of either kind, ends the program at once. */
static void on_signal(int number)
{
    stop = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
}

/* A signal that was ignored when the program started (nohup) stays ignored. SIGPIPE means that
   whoever read the output has gone, as SIGHUP means that the terminal has. */
static void catch_signals(void)
{
    int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    for (int i = 0; i < 4; i++) {
        struct sigaction old, action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

/* Complains about the first of several failures in a row: a full disk is not reported a hundred
   times. */
static void complain_once(const struct meta_error *error, int failed, int *complained)
{
    if (failed && !*complained) {
        meta_clear_bar();
        fflush(stdout);
        meta_complain(error);
    }
    *complained = failed;
}

/* Which layers have the weights of a file that has not all of them. */
static void print_layers(const struct meta_trainer *t, const struct meta_network *net)
{
    int layers = meta_trainer_layers_read(t), last = 0, drawn = 0, read = 0;
    if (layers == net->count) return;
    for (int i = 0; i < net->count; i++) {
        if (net->layers[i].weights == META_NONE) continue;
        drawn += i >= layers;
        read += i < layers;
        if (i < layers) last = i;
    }
    printf("It has the weights of %d layer%s, up to layer %d, [%s]; those of %d layer%s, from "
           "layer "
           "%d, [%s], on are drawn\n",
           read, meta_plural(read), last, meta_layer_name(&net->layers[last]), drawn,
           meta_plural(drawn), layers, meta_layer_name(&net->layers[layers]));
}

static void print_start(const struct meta_trainer *t)
{
    const struct meta_training_settings *s = meta_trainer_settings(t);
    const struct meta_model *model = meta_trainer_model(t);
    const struct meta_dataset *train = meta_trainer_train_set(t),
                              *valid = meta_trainer_valid_set(t);
    const char *state = meta_trainer_path(t, META_TRAINING_STATE), *was, *now;
    unsigned long long done = meta_trainer_done(t), aside = meta_trainer_aside_iteration(t);
    printf("%s: %zu parameters, %d training images, %d thread%s, %s, seed %llu\n", model->name,
           model->network->parameters, train->count, s->threads, meta_plural(s->threads),
           s->backend->name, (unsigned long long)s->seed);
    meta_tell_groups(meta_trainer_data(t), train);
    meta_tell_copies(train);
    if (valid) meta_warn_shared(valid, train);
    meta_tell_depth(meta_trainer_data(t), train);
    if (valid && !meta_trainer_watches(t))
        printf("%s has none of the classes that are trained: it is not watched\n", valid->list);
    if (aside)
        printf("The run of this name that was there, at iteration %llu, is kept: %s.old\n", aside,
               state);
    if (s->fork) printf("Forking %s at iteration %llu\n", s->fork, done);
    else if (s->resume) printf("Resuming %s at iteration %llu\n", state, done);
    if (meta_trainer_instructions_changed(t, &was, &now))
        printf("Its iterations were made by %s instructions, the next ones by %s: equal to an "
               "unbroken run to rounding, not bit for bit\n",
               was, now);
    if (s->weights) {
        printf("Starting from %s at iteration %llu\n", s->weights, done);
        print_layers(t, model->network);
    }
    fflush(stdout);
}

static void show_progress(void *steps, int done) { meta_print_bar(done, *(const int *)steps); }

static void watch_valid(struct meta_trainer *t, struct meta_row *row)
{
    double begun = meta_now();
    int images = meta_trainer_settings(t)->kind == META_TRAINING_IMAGES,
        steps = meta_trainer_valid_steps(t);
    struct meta_estimate e = meta_trainer_watch(t, row, show_progress, &steps);
    meta_clear_bar();
    printf("%llu: %.4f valid %s", (unsigned long long)row->iteration, e.mean,
           images ? "accuracy" : "AUC");
    if (e.n > 1) printf(", 95%% interval %.4f to %.4f", e.low, e.high);
    if (images) printf(", %.3f loss", row->valid_loss);
    printf(", %d %s%s, %.2f seconds\n", e.n, images ? "image" : "task", meta_plural(e.n),
           meta_now() - begun);
}

#define RECENT 20 /* iterations that the status line is the mean of */

/* Makes the status line from the last rows of the log. */
static void show_status(const struct meta_trainer *t, double remaining)
{
    int count,
        auc = meta_trainer_watches(t) && meta_trainer_settings(t)->kind == META_TRAINING_TASKS;
    const struct meta_row *rows = meta_trainer_rows(t, &count);
    int n = count < RECENT ? count : RECENT;
    if (!n) return;
    struct meta_status s = { .done = meta_trainer_done(t),
                             .total = meta_trainer_total(t),
                             .rate = rows[count - 1].rate,
                             .remaining = remaining,
                             .auc = NAN,
                             .low = NAN,
                             .high = NAN };
    for (int i = count - n; i < count; i++) {
        s.query_loss += rows[i].query_loss / n;
        s.meta_loss += rows[i].meta_loss / n;
        s.accuracy += rows[i].accuracy / n;
    }
    for (int i = count - 1; auc && i >= 0 && isnan(s.auc); i--) {
        s.auc = rows[i].auc;
        s.low = rows[i].low;
        s.high = rows[i].high;
    }
    meta_print_status(&s);
}

static void print_end(const struct meta_trainer *t, uint64_t iterations, double seconds)
{
    struct rusage usage;
    char text[64];
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(text, sizeof text, seconds);
    printf("%llu iterations in %s: %.3f seconds an iteration, %.1f%% of the time waiting for "
           "images, %ld MB of memory at most\n",
           (unsigned long long)iterations, text, iterations ? seconds / iterations : 0,
           seconds > 0 ? 100 * meta_trainer_waited(t) / seconds : 0, usage.ru_maxrss / 1024);
}

/* Which failures the user has been shown. */
struct complaints {
    int save, keep, log, chart;
};

/* Does what is due after an iteration. A numbered file comes before the checkpoint: a training that
   is killed between the two resumes before that iteration and writes the file again. */
static void after_step(struct meta_trainer *t, struct meta_chart *chart, const struct meta_row *row,
                       int backup_every, struct complaints *complained)
{
    struct meta_error error;
    uint64_t done = meta_trainer_done(t);
    int count;
    if (meta_trainer_log(t, row, &error)) complain_once(&error, 1, &complained->log);
    else complained->log = 0;
    if (done % KEEP_EVERY == 0)
        complain_once(&error, meta_trainer_save_numbered(t, &error), &complained->keep);
    if (done % backup_every == 0 && done < meta_trainer_total(t))
        complain_once(&error, meta_trainer_save(t, &error), &complained->save);
    const struct meta_row *rows = meta_trainer_rows(t, &count);
    if (meta_chart_update(chart, rows, count, &error)) complain_once(&error, 1, &complained->chart);
}

/* Trains until the end or a signal; -1 with the message when an iteration failed. */
static int iterate(struct meta_trainer *t, struct meta_chart *chart, int backup_every,
                   struct complaints *complained, struct meta_error *error)
{
    uint64_t first = meta_trainer_done(t), total = meta_trainer_total(t);
    double begun = meta_now();
    while (meta_trainer_done(t) < total && !stop) {
        struct meta_row row;
        if (meta_trainer_step(t, &row, error)) return -1;
        uint64_t done = meta_trainer_done(t);
        meta_clear_bar();
        double remaining = (meta_now() - begun) / (done - first) * (total - done);
        meta_print_row(meta_trainer_settings(t)->kind, &row, remaining);
        if (meta_trainer_valid_due(t) && (done == total || !stop)) watch_valid(t, &row);
        fflush(stdout);
        after_step(t, chart, &row, backup_every, complained);
        show_status(t, remaining);
    }
    return 0;
}

/* Saves what the training has come to. After a failed iteration the checkpoint before it stands: it
   is the better place to start from. */
static int save_end(struct meta_trainer *t, uint64_t first)
{
    struct meta_error error;
    int failed = 0, ended = meta_trainer_done(t) == meta_trainer_total(t);
    if (meta_trainer_done(t) == first && !ended) return 0;
    if (meta_trainer_save(t, &error)) failed = meta_complain(&error);
    if (ended && meta_trainer_save_final(t, &error)) failed = meta_complain(&error);
    return failed;
}

static int run(struct meta_trainer *t, int backup_every)
{
    struct meta_error error;
    struct meta_chart chart;
    struct complaints complained = { 0 };
    const char *name = meta_trainer_model(t)->name,
               *picture = meta_trainer_path(t, META_TRAINING_CHART);
    uint64_t first = meta_trainer_done(t);
    double begun = meta_now();
    int count;
    if (meta_chart_open(&chart, meta_trainer_settings(t)->kind, picture, name, &error))
        complain_once(&error, 1, &complained.chart);
    catch_signals();
    int failed = iterate(t, &chart, backup_every, &complained, &error);
    double seconds = meta_now() - begun;
    meta_clear_bar();
    fflush(stdout);
    if (failed) meta_complain(&error);
    else failed = save_end(t, first);
    const struct meta_row *rows = meta_trainer_rows(t, &count);
    if (meta_chart_close(&chart, rows, count, &error)) complain_once(&error, 1, &complained.chart);
    uint64_t done = meta_trainer_done(t);
    print_end(t, done - first, seconds);
    if (failed) return 1;
    if (done == meta_trainer_total(t)) {
        printf("Saved %s\n", meta_trainer_path(t, META_TRAINING_FINAL));
        return 0;
    }
    printf("Stopped by signal %d at iteration %llu: %s is saved, -resume goes on\n", (int)stop,
           (unsigned long long)done, meta_trainer_path(t, META_TRAINING_STATE));
    return 128 + stop;
}

/* Both commands have the same flags, but for those of tasks alone. */
static int train(enum meta_training_kind kind, int argc, char **argv)
{
    const char *seed = NULL, *threads = NULL, *max_batches = NULL, *valid_every = NULL,
               *valid_runs = NULL, *backup_every = NULL, *backend = NULL;
    struct meta_training_settings s = { .kind = kind };
    int images = kind == META_TRAINING_IMAGES;
    const struct meta_flag flags[] = {
        { "-seed", "N",
          images ? "random numbers: mini-batches, augmentation, dropout, initial weights (1)"
                 : "random numbers: tasks, augmentation, dropout, initial weights (1)",
          &seed, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)", &threads,
          NULL },
        { "-clear", NULL, "count iterations from 0, whatever WEIGHTS have seen", NULL, &s.clear },
        { "-resume", NULL, "go on from NAME.state in the backup folder, bit for bit", NULL,
          &s.resume },
        { "-max_batches", "N",
          images ? "iterations ([net] max_batches)" : "meta-iterations ([net] max_batches)",
          &max_batches, NULL },
        { "-valid_every", "N",
          images ? "iterations between accuracies on the valid list, 0: never (250)"
                 : "iterations between AUCs on the valid list, 0: never (250)",
          &valid_every, NULL },
        { "-backup_every", "N", "iterations between checkpoints (100)", &backup_every, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
        /* from here on, flags of tasks alone */
        { "-valid_runs", "N", "tasks of such an AUC (100)", &valid_runs, NULL },
        { "-fork", "FILE.state",
          "go on from another run's checkpoint, where [meta_loss] alone differs and has not yet "
          "weighed a task",
          &s.fork, NULL },
    };
    struct meta_error error;
    struct meta_trainer *t;
    const struct meta_syntax syntax = { images ? "pretrain DATA CFG [WEIGHTS]"
                                               : "train DATA CFG [WEIGHTS]",
                                        2, 3, flags,
                                        sizeof flags / sizeof *flags - (images ? 2 : 0) };
    int words = meta_flags_parse(argc, argv, &syntax);
    s.data = argv[0];
    s.cfg = argv[1];
    s.weights = words > 2 ? argv[2] : NULL;
    s.seed = meta_flag_int("-seed", seed, 1, 0, INT64_MAX);
    s.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    s.max_batches = meta_flag_int("-max_batches", max_batches, 0, 1, 100000000);
    s.valid_every = meta_flag_int("-valid_every", valid_every, META_VALID_EVERY, 0, 100000000);
    s.valid_runs = meta_flag_int("-valid_runs", valid_runs, META_VALID_RUNS, 1, 1000000);
    s.valid_asked = valid_every != NULL;
    int every = meta_flag_int("-backup_every", backup_every, 100, 1, 100000000);
    s.backend = meta_flag_backend(backend, "onednn");
    if ((s.resume && s.fork) || ((s.resume || s.fork) && (s.weights || s.clear))) {
        meta_fail(&error, "%s goes on from a checkpoint: it takes no WEIGHTS, no -clear%s",
                  s.fork ? "-fork" : "-resume", s.fork ? " and no -resume" : "");
        return meta_complain(&error);
    }
    if (meta_trainer_open(&t, &s, &error)) return meta_complain(&error);
    print_start(t);
    int status = run(t, every);
    meta_trainer_free(t);
    return status;
}

int meta_command_train(int argc, char **argv) { return train(META_TRAINING_TASKS, argc, argv); }

int meta_command_pretrain(int argc, char **argv) { return train(META_TRAINING_IMAGES, argc, argv); }
