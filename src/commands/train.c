#define _GNU_SOURCE
#include "training/chart.h"
#include "base/clock.h"
#include "base/duration.h"
#include "flags.h"
#include "console.h"
#include "training/run_file.h"
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

#define KEEP_EVERY 1000        /* NAME_1000.weights, NAME_2000.weights... */

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

/* A signal that was ignored when we were started (nohup) stays so. SIGPIPE: whoever read what is printed has gone, as the terminal has at
   a SIGHUP. */
static void catch_signals(void)
{
    int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    for (int i = 0; i < 4; i++) {
        struct sigaction old, action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
    }
}

/* Once a failure and once again after a success in between: a full disk is not said a hundred times. */
static void complain_once(const struct meta_error *error, int failed, int *said)
{
    if (failed && !*said) {
        meta_clear_bar();
        fflush(stdout);
        meta_complain(error);
    }
    *said = failed;
}

static void print_start(const struct meta_trainer *t)
{
    const struct meta_training *s = &t->settings;
    printf("%s: %zu parameters, %d training images, %d thread%s, %s, seed %llu\n", t->model->name, t->model->network->parameters,
           t->train->count, s->threads, meta_plural(s->threads), s->backend->name, (unsigned long long)s->seed);
    meta_tell_groups(t->data, t->train);
    if (t->valid && !meta_trainer_watches(t)) printf("%s has none of the classes that are trained: it is not watched\n", t->valid->list);
    if (t->aside) printf("The run of this name that was there, at iteration %llu, is kept: %s.old\n", (unsigned long long)t->aside, t->state_path);
    if (s->fork) printf("Forking %s at iteration %llu\n", s->fork, (unsigned long long)t->done);
    else if (s->resume) printf("Resuming %s at iteration %llu\n", t->state_path, (unsigned long long)t->done);
    if (*t->was) printf("Its iterations were made by %s instructions, the next ones by %s: equal to an unbroken run to rounding, not bit for bit\n", t->was, t->is);
    if (s->weights) printf("Starting from %s at iteration %llu\n", s->weights, (unsigned long long)t->done);
    fflush(stdout);
}

struct watch { int steps; };

static void watch_step(void *context, int done)
{
    meta_print_bar(done, ((const struct watch *)context)->steps);
}

static void watch_valid(struct meta_trainer *t, struct meta_row *row)
{
    double begun = meta_now();
    int images = t->settings.kind == META_RUN_IMAGES;
    struct watch watch = { meta_trainer_valid_steps(t) };
    struct meta_estimate e = meta_trainer_watch(t, row, watch_step, &watch);
    meta_clear_bar();
    printf("%llu: %.4f valid %s", (unsigned long long)row->iteration, e.mean, images ? "accuracy" : "AUC");
    if (e.n > 1) printf(", 95%% interval %.4f to %.4f", e.low, e.high);
    if (images) printf(", %.3f loss", row->valid_loss);
    printf(", %d %s%s, %.2f seconds\n", e.n, images ? "image" : "task", meta_plural(e.n), meta_now() - begun);
}

#define RECENT 20              /* iterations that the status line is the mean of */

/* From the log's last rows. */
static void show_status(const struct meta_trainer *t, double remaining)
{
    const struct meta_log *log = &t->log;
    int n = log->count < RECENT ? log->count : RECENT;
    if (!n) return;
    struct meta_status s = { .done = t->done, .total = t->total, .rate = log->rows[log->count - 1].rate, .remaining = remaining,
                             .auc = NAN, .low = NAN, .high = NAN };
    for (int i = log->count - n; i < log->count; i++) {
        s.query_loss += log->rows[i].query_loss / n;
        s.meta_loss += log->rows[i].meta_loss / n;
        s.accuracy += log->rows[i].accuracy / n;
    }
    for (int i = log->count - 1; t->evaluator && i >= 0 && isnan(s.auc); i--) {
        s.auc = log->rows[i].auc;
        s.low = log->rows[i].low;
        s.high = log->rows[i].high;
    }
    meta_print_status(&s);
}

static void print_end(const struct meta_trainer *t, uint64_t iterations, double seconds)
{
    struct rusage usage;
    char text[64];
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(text, sizeof text, seconds);
    printf("%llu iterations in %s: %.3f seconds an iteration, %.1f%% of the time waiting for images, %ld MB of memory at most\n",
           (unsigned long long)iterations, text, iterations ? seconds / iterations : 0, seconds > 0 ? 100 * t->waited / seconds : 0,
           usage.ru_maxrss / 1024);
}

struct said { int save, keep, log, chart; };

/* What is due after an iteration. Keeping a numbered file comes before the checkpoint: a run killed between the two
   resumes before that iteration, and writes it again. */
static void after_step(struct meta_trainer *t, struct meta_chart *chart, const struct meta_row *row, int backup_every, struct said *said)
{
    struct meta_error error;
    if (meta_log_add(&t->log, row, &error)) complain_once(&error, 1, &said->log);
    else said->log = 0;
    if (t->done % KEEP_EVERY == 0) {
        char *path;
        int failed = meta_run_numbered(&path, t->folder, t->model->name, t->done, &error) || meta_trainer_save_weights(t, path, &error);
        complain_once(&error, failed, &said->keep);
        free(path);
    }
    if (t->done % backup_every == 0 && t->done < t->total)
        complain_once(&error, meta_trainer_save(t, &error), &said->save);
    if (meta_chart_update(chart, t->log.rows, t->log.count, &error)) complain_once(&error, 1, &said->chart);
}

static int run(struct meta_trainer *t, int backup_every)
{
    struct meta_error error;
    struct meta_chart chart;
    struct said said = {0};
    uint64_t first = t->done;
    double begun = meta_now();
    int failed = 0;
    if (meta_chart_open(&chart, t->settings.kind, t->chart_path, t->model->name, &error)) complain_once(&error, 1, &said.chart);
    catch_signals();
    while (t->done < t->total && !stop) {
        struct meta_row row;
        if (meta_trainer_step(t, &row, &error)) { failed = 1; break; }
        meta_clear_bar();
        double remaining = (meta_now() - begun) / (t->done - first) * (t->total - t->done);
        meta_print_row(t->settings.kind, &row, remaining);
        int last = t->done == t->total;
        if (meta_trainer_watches(t) && (last || (t->done % t->settings.valid_every == 0 && !stop))) watch_valid(t, &row);
        fflush(stdout);
        after_step(t, &chart, &row, backup_every, &said);
        show_status(t, remaining);
    }
    double seconds = meta_now() - begun;
    meta_clear_bar();
    fflush(stdout);
    if (failed) meta_complain(&error);
    /* after a failure the checkpoint before it stands: it is the better place to start from */
    if (!failed && (t->done > first || t->done == t->total)) {
        if (meta_trainer_save(t, &error)) failed = meta_complain(&error);
        if (t->done == t->total && meta_trainer_save_weights(t, t->final_path, &error)) failed = meta_complain(&error);
    }
    if (meta_chart_close(&chart, t->log.rows, t->log.count, &error)) complain_once(&error, 1, &said.chart);
    print_end(t, t->done - first, seconds);
    if (failed) return 1;
    if (t->done == t->total) {
        printf("Saved %s\n", t->final_path);
        return 0;
    }
    printf("Stopped by signal %d at iteration %llu: %s is saved, -resume goes on\n", (int)stop, (unsigned long long)t->done, t->state_path);
    return 128 + stop;
}

/* Meta-training and supervised training: the same flags, but for those that only tasks know. */
static int train(enum meta_run_kind kind, int argc, char **argv)
{
    const char *seed = NULL, *threads = NULL, *max_batches = NULL, *valid_every = NULL, *valid_runs = NULL, *backup_every = NULL,
               *backend = NULL;
    struct meta_training s = { .kind = kind };
    int images = kind == META_RUN_IMAGES;
    const struct meta_flag flags[] = {
        { "-seed", "N", images ? "random numbers: mini-batches, augmentation, dropout, initial weights (1)"
                               : "random numbers: tasks, augmentation, dropout, initial weights (1)", &seed, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)", &threads, NULL },
        { "-clear", NULL, "count iterations from 0, whatever WEIGHTS have seen", NULL, &s.clear },
        { "-resume", NULL, "go on from NAME.state in the backup folder, bit for bit", NULL, &s.resume },
        { "-max_batches", "N", images ? "iterations ([net] max_batches)" : "meta-iterations ([net] max_batches)", &max_batches, NULL },
        { "-valid_every", "N", images ? "iterations between accuracies on the valid list, 0: never (250)"
                                      : "iterations between AUCs on the valid list, 0: never (250)", &valid_every, NULL },
        { "-backup_every", "N", "iterations between checkpoints (100)", &backup_every, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
        { "-valid_runs", "N", "tasks of such an AUC (100)", &valid_runs, NULL },      /* from here on of tasks only */
        { "-fork", "FILE.state", "go on from another run's checkpoint, where [meta_loss] alone differs and has not yet weighed a task", &s.fork, NULL },
    };
    struct meta_error error;
    struct meta_trainer *t;
    const struct meta_syntax syntax = { images ? "pretrain DATA CFG [WEIGHTS]" : "train DATA CFG [WEIGHTS]", 2, 3,
                                        flags, sizeof flags / sizeof *flags - (images ? 2 : 0) };
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
        meta_fail(&error, "%s goes on from a checkpoint: it takes no WEIGHTS, no -clear%s", s.fork ? "-fork" : "-resume", s.fork ? " and no -resume" : "");
        return meta_complain(&error);
    }
    if (meta_trainer_open(&t, &s, &error)) return meta_complain(&error);
    print_start(t);
    int status = run(t, every);
    meta_trainer_free(t);
    return status;
}

int meta_command_train(int argc, char **argv) { return train(META_RUN_TASKS, argc, argv); }

int meta_command_pretrain(int argc, char **argv) { return train(META_RUN_IMAGES, argc, argv); }
