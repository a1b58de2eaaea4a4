/* Runs a training: shows how far it is, saves what is due, and ends well when it is asked to. */
#define _GNU_SOURCE
#include "train_run.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/plural.h"
#include "base/signals.h"
#include "console.h"
#include "flags.h"
#include "ranks.h"
#include "stats/estimate.h"
#include "training/chart.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KEEP_EVERY 1000 /* NAME_1000.weights, NAME_2000.weights... */
#define PATIENCE .6     /* seconds that an iteration may take to its end after a signal */
#define LONGER .9 /* of a rank without files: the one that has them has saved, and ends before */

/* Which failures the user has been shown. */
struct complaints {
    int save, keep, best, log, chart;
};

struct run {
    struct meta_trainer *trainer;
    struct meta_chart chart;
    struct complaints complained;
    int backup_every;
    uint64_t first; /* iterations that were done before */
    double begun;
    double watched, watch; /* seconds spent on the valid list: so far, and the last time */
    atomic_int told;       /* how the training ended has been printed */
    atomic_int status;     /* the exit status, once that has been told */
    atomic_int ended;      /* nothing is left to do */
};

/* SIGPIPE, once it has come; else 0. */
static atomic_int pipe_broken;

/* ---- signals --------------------------------------------------------------------------------- */

/* Whether the stream takes more now: a pipe may be full, and a terminal held. */
static int takes_more(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    return poll(&p, 1, 0) > 0 && !(p.revents & (POLLERR | POLLNVAL));
}

static void tell_stop(const struct meta_trainer *t, uint64_t first, uint64_t done, int number)
{
    meta_clear_bar();
    if (done == first && done < meta_trainer_total(t))
        printf("Stopped by signal %d at iteration %llu, where it began: nothing is new\n", number,
               (unsigned long long)done);
    else
        printf("Stopped by signal %d at iteration %llu: %s is saved, -resume goes on\n", number,
               (unsigned long long)done, meta_trainer_path(t, META_TRAINING_STATE));
    fflush(stdout);
}

static void wait_for_end(const struct run *r, double seconds)
{
    for (double end = meta_now() + seconds; !r->ended && meta_now() < end;)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

/* A rank that is silent is waited for as long as anywhere else. */
static void wait_for_others(const struct run *r, struct meta_transport *ranks, int sites)
{
    double end = meta_now() + ranks->limit;
    while (!r->ended && meta_ranks_unsaved(ranks, sites) && meta_now() < end)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

/* Prints how the training ends; returns the exit status. */
static int tell_asked(struct run *r, int number, uint64_t done, const struct meta_error *failure)
{
    if (atomic_exchange(&r->told, 1)) return r->status;
    if (failure && takes_more(STDERR_FILENO))
        dprintf(STDERR_FILENO, "darknet: %s\n", failure->text);
    /* the other thread may stand in the middle of a line that nobody reads */
    if (!failure && takes_more(STDOUT_FILENO) && !ftrylockfile(stdout)) {
        tell_stop(r->trainer, r->first, done, number);
        funlockfile(stdout);
    }
    return failure ? 1 : 128 + number;
}

/* Comes in a thread of its own. The checkpoint is saved first, since whoever asked may not wait;
   then the training has a moment to end as it does by itself. */
static void asked(void *context, int number)
{
    struct run *r = context;
    const struct meta_training_settings *s = meta_trainer_settings(r->trainer);
    struct meta_error error;
    uint64_t done = 0;
    /* sites save where they meet, if they can: their checkpoints then belong together */
    int is_site = s->federation.mode != META_NOT_FEDERATED, failed = 0,
        writes = meta_trainer_writes(r->trainer);
    if (writes) meta_ranks_tell_saving(s->transport, 0);
    meta_trainer_ask(r->trainer, number);
    if (!is_site) failed = meta_trainer_save_new(r->trainer, &done, &error);
    if (!is_site && writes) meta_ranks_tell_saving(s->transport, 1);
    if (!writes) wait_for_others(r, s->transport, 0);
    wait_for_end(r, writes ? PATIENCE : LONGER);
    if (is_site && !r->ended) failed = meta_trainer_save_new(r->trainer, &done, &error);
    int status = r->status;
    if (!r->ended) status = tell_asked(r, number, done, failed ? &error : NULL);
    if (is_site) {
        meta_ranks_tell_saving(s->transport, 1);
        wait_for_others(r, s->transport, 1);
    }
    if (r->ended) return;
    meta_trainer_unlock(r->trainer);
    _exit(status);
}

/* SIGPIPE means that whoever read the output has gone, as SIGHUP means that the terminal has. */
static void on_pipe(int number)
{
    pipe_broken = number;
    signal(SIGPIPE, SIG_IGN);
}

static void catch_pipe(void)
{
    struct sigaction old, action = { .sa_handler = on_pipe, .sa_flags = SA_RESTART };
    if (!sigaction(SIGPIPE, NULL, &old) && old.sa_handler != SIG_IGN)
        sigaction(SIGPIPE, &action, NULL);
}

/* ---- what is printed ------------------------------------------------------------------------- */

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

static void show_progress(void *steps, int done) { meta_print_bar(done, *(const int *)steps); }

static int watch_valid(struct run *r, struct meta_row *row, struct meta_error *error)
{
    struct meta_trainer *t = r->trainer;
    double begun = meta_now();
    int images = meta_trainer_settings(t)->kind == META_TRAINING_IMAGES,
        steps = meta_trainer_valid_steps(t);
    struct meta_estimate e = meta_trainer_watch(t, row, show_progress, &steps);
    r->watch = meta_now() - begun;
    r->watched += r->watch;
    meta_clear_bar();
    if (meta_trainer_watch_status(t, error)) return -1;
    printf("%llu: %.4f valid %s", (unsigned long long)row->iteration, e.mean,
           images ? "accuracy" : "AUC");
    if (!isnan(e.low)) printf(", 95%% interval %.4f to %.4f", e.low, e.high);
    if (images) printf(", %.3f loss", row->valid_loss);
    printf(", %d %s%s, %.2f seconds", e.n, images ? "image" : "task", meta_plural(e.n), r->watch);
    const struct meta_row *best = meta_trainer_best(t);
    puts(best && best->iteration == row->iteration ? ", the best so far" : "");
    struct meta_error why;
    complain_once(&why, meta_trainer_best_failed(t, &why), &r->complained.best);
    return 0;
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

/* Seconds to the end: what iterations have taken on average, and for each time that the valid list
   is due what it took the last time. */
static double remaining(const struct run *r)
{
    const struct meta_training_settings *s = meta_trainer_settings(r->trainer);
    uint64_t done = meta_trainer_done(r->trainer), total = meta_trainer_total(r->trainer);
    double left = (meta_now() - r->begun - r->watched) / (done - r->first) * (total - done);
    if (!meta_trainer_watches(r->trainer)) return left;
    uint64_t times = total / s->valid_every - done / s->valid_every
        + (done < total && total % s->valid_every > 0);
    return left + times * r->watch;
}

static void print_end(const struct run *r, double seconds)
{
    const struct meta_trainer *t = r->trainer;
    unsigned long long iterations = meta_trainer_done(t) - r->first;
    double own = seconds - r->watched;
    struct rusage usage;
    char text[64];
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(text, sizeof text, seconds);
    printf("%llu iterations in %s: %.3f seconds an iteration, %.1f%% of the time waiting for "
           "images, %ld MB of memory at most",
           iterations, text, iterations ? own / iterations : 0,
           own > 0 ? 100 * meta_trainer_waited(t) / own : 0, usage.ru_maxrss / 1024);
    meta_format_time(text, sizeof text, r->watched);
    if (r->watched > 0) printf("; the valid list took %s of it", text);
    putchar('\n');
}

/* ---- training -------------------------------------------------------------------------------- */

/* Writes the numbered file that is due. It comes before every checkpoint of its iteration: a
   training that is killed between the two resumes before that iteration and writes the file again.
 */
static void keep_numbered(struct run *r)
{
    struct meta_error error;
    if (meta_trainer_done(r->trainer) % KEEP_EVERY) return;
    complain_once(&error, meta_trainer_save_numbered(r->trainer, &error), &r->complained.keep);
}

/* Does what is due after an iteration. */
static void after_step(struct run *r)
{
    struct meta_trainer *t = r->trainer;
    struct complaints *c = &r->complained;
    struct meta_error error;
    uint64_t done = meta_trainer_done(t);
    int count;
    complain_once(&error, meta_trainer_log_failed(t, &error), &c->log);
    if (done % r->backup_every == 0 && done < meta_trainer_total(t))
        complain_once(&error, meta_trainer_save_new(t, NULL, &error), &c->save);
    const struct meta_row *rows = meta_trainer_rows(t, &count);
    if (meta_chart_update(&r->chart, rows, count, &error)) complain_once(&error, 1, &c->chart);
}

/* Saves before it watches, which may take longer than the iterations did. */
static int save_and_watch(struct run *r, struct meta_row *row, struct meta_error *error)
{
    struct meta_error why;
    complain_once(&why, meta_trainer_save_new(r->trainer, NULL, &why), &r->complained.save);
    return watch_valid(r, row, error);
}

static int watch_due(struct run *r, struct meta_row *row, struct meta_error *error)
{
    if (meta_trainer_asked(r->trainer) || !meta_trainer_valid_due(r->trainer)) return 0;
    return save_and_watch(r, row, error);
}

/* Trains until the end or a signal; -1 with the message when an iteration or a watch of the
   valid list failed. */
static int iterate(struct run *r, struct meta_error *error)
{
    struct meta_trainer *t = r->trainer;
    struct meta_row row;
    /* what a signal may have kept from being done after the checkpoint was saved */
    if (meta_trainer_settings(t)->resume && r->first) keep_numbered(r);
    if (meta_trainer_catch_up(t, error)) return -1;
    if (meta_trainer_valid_missed(t, &row) && save_and_watch(r, &row, error)) return -1;
    while (meta_trainer_done(t) < meta_trainer_total(t) && !meta_trainer_asked(t)) {
        if (meta_trainer_step(t, &row, error)) return -1;
        if (pipe_broken) meta_trainer_ask(t, pipe_broken);
        keep_numbered(r);
        meta_clear_bar();
        meta_print_row(meta_trainer_settings(t)->kind, &row, remaining(r));
        fflush(stdout);
        if (watch_due(r, &row, error)) return -1;
        fflush(stdout);
        after_step(r);
        show_status(t, remaining(r));
    }
    return 0;
}

/* Whether the training is over: all is done, and no signal has kept the valid list from being
   watched, which of ranks the first knows. */
static int find_over(int *over, const struct run *r, struct meta_error *error)
{
    const struct meta_training_settings *s = meta_trainer_settings(r->trainer);
    struct meta_row row;
    *over = meta_trainer_done(r->trainer) == meta_trainer_total(r->trainer)
        && !(meta_trainer_asked(r->trainer) && meta_trainer_valid_missed(r->trainer, &row));
    if (!meta_transport_many(s->transport) || s->federation.mode != META_NOT_FEDERATED) return 0;
    return meta_transport_broadcast(s->transport, over, sizeof *over, error);
}

/* Saves what the training has come to. After a failed iteration the checkpoint before it stands: it
   is the better place to start from. */
static int save_end(struct meta_trainer *t, int over)
{
    struct meta_error error;
    int failed = 0;
    if (meta_trainer_save_new(t, NULL, &error)) failed = meta_complain(&error);
    if (over && meta_trainer_save_final(t, &error)) failed = meta_complain(&error);
    return failed;
}

static void print_best(const struct meta_trainer *t)
{
    const struct meta_row *best = meta_trainer_best(t);
    if (!best) return;
    printf("The best valid %s, %.4f, was at iteration %llu: %s\n",
           meta_trainer_settings(t)->kind == META_TRAINING_IMAGES ? "accuracy" : "AUC", best->auc,
           (unsigned long long)best->iteration, meta_trainer_path(t, META_TRAINING_BEST));
}

static void tell_end(const struct run *r, double seconds)
{
    print_end(r, seconds);
    print_best(r->trainer);
    const struct meta_training_settings *s = meta_trainer_settings(r->trainer);
    if (meta_trainer_averaged(r->trainer))
        printf("The average of %llu %s: %s\n",
               (unsigned long long)meta_trainer_averaged(r->trainer),
               s->federation.mode == META_FEDERATED_AVERAGE ? "means of the sites" : "iterations",
               meta_trainer_path(r->trainer, META_TRAINING_AVERAGE));
    if (r->status > 128)
        tell_stop(r->trainer, r->first, meta_trainer_done(r->trainer), r->status - 128);
    else if (!r->status) printf("Saved %s\n", meta_trainer_path(r->trainer, META_TRAINING_FINAL));
    fflush(stdout);
}

int meta_train_run(struct meta_trainer *t, int backup_every)
{
    struct meta_error error;
    struct meta_signals *signals = NULL;
    struct run r = { .trainer = t, .backup_every = backup_every, .first = meta_trainer_done(t) };
    const char *name = meta_trainer_name(t), *picture = meta_trainer_path(t, META_TRAINING_CHART);
    int count;
    if (!meta_trainer_writes(t)) r.chart.off = 1;
    else if (meta_chart_open(&r.chart, meta_trainer_settings(t)->kind, picture, name, &error))
        complain_once(&error, 1, &r.complained.chart);
    catch_pipe();
    if (meta_signals_start(&signals, asked, &r, &error)) return meta_complain(&error);
    r.begun = meta_now();
    int over = 0, failed = iterate(&r, &error) || find_over(&over, &r, &error);
    double seconds = meta_now() - r.begun;
    meta_clear_bar();
    if (failed) meta_ranks_complain(meta_trainer_settings(t)->transport, &error);
    else failed = save_end(t, over);
    r.status = failed ? 1 : over ? 0 : 128 + meta_trainer_asked(t);
    if (!atomic_exchange(&r.told, 1)) tell_end(&r, seconds);
    const struct meta_row *rows = meta_trainer_rows(t, &count);
    if (meta_chart_close(&r.chart, rows, count, &error))
        complain_once(&error, 1, &r.complained.chart);
    r.ended = 1;
    meta_signals_end(signals);
    return r.status;
}
