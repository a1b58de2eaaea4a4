/* Runs `darknet meta train`, `pretrain` and `test` for a table, one process at a time, and hands
   signals that ask for an end on to the process that runs. */
#define _GNU_SOURCE
#include "table_process.h"
#include "table_key.h"
#include "table_recipe.h"
#include "table_result.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number_text.h"
#include "base/process.h"
#include "evaluation/methods.h"
#include "training/trainer.h"
#include "training/training_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t waited;

void meta_table_signals(void)
{
    int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take away how a child has ended */
    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    for (int i = 0; i < 4; i++) {
        struct sigaction now;
        if (sigaction(numbers[i], NULL, &now) || now.sa_handler == SIG_IGN) continue;
        sigaddset(&waited, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &waited, NULL);
}

/* The next signal; 0 when none has come in so many seconds. */
static int next_signal(double seconds)
{
    struct timespec time = { (time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9) };
    int number = sigtimedwait(&waited, NULL, &time);
    return number > 0 ? number : 0;
}

/* Waits until the child has ended. */
static void wait_for(struct meta_table_runner *run, pid_t child, int *status, struct rusage *usage)
{
    double next = meta_now() + run->tick;
    for (;;) {
        pid_t done = wait4(child, status, WNOHANG, usage);
        if (done == child) return;
        if (done < 0 && errno != EINTR) {
            *status = 255 << 8; /* how it ended is not known */
            return;
        }
        double left = next - meta_now();
        int number = next_signal(left > 0 ? left : 0);
        if (number && number != SIGCHLD) {
            run->stop = number;
            /* a process that is asked by SIGPIPE would look for its own reader's end */
            kill(child, number == SIGPIPE ? SIGTERM : number);
        }
        if (meta_now() < next) continue;
        next = meta_now() + run->tick;
        if (run->watch) run->watch(run->context);
    }
}

/* The last line; behind a launcher, which may add its own, the last one that begins as the
   program's complaints do. */
static char *last_line(char *text, const char *launcher)
{
    char *last = strrchr(text, '\n'), *own = NULL;
    for (char *at = text; launcher && at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (!strncmp(at, "darknet: ", 9)) own = at;
    }
    if (!own) return last ? last + 1 : text;
    own[strcspn(own, "\n")] = 0;
    return own;
}

/* Makes an error of the last line that the process has written to its log. how: the way it
   ended. */
static void last_words(const struct meta_table_runner *run, const char *log, const char *how,
                       struct meta_error *error)
{
    char *text = NULL;
    size_t size;
    struct meta_error ignored;
    if (meta_file_read(log, &text, &size, &ignored)) {
        meta_fail(error, "%s", how);
        return;
    }
    while (size && text[size - 1] == '\n') text[--size] = 0;
    char *line = last_line(text, run->launcher);
    if (!strncmp(line, "darknet: ", 9)) line += 9;
    meta_fail(error, "%s (%s; %s)", *line ? line : "said nothing", how, log);
    free(text);
}

/* The signal that has asked for an end, also between two processes; 0: none has. */
static int asked_to_stop(struct meta_table_runner *run)
{
    for (int number; (number = next_signal(0));)
        if (number != SIGCHLD) run->stop = number;
    return run->stop;
}

/* What a process has used: seconds by the clock, seconds of the processor, megabytes at its
   peak. */
struct outcome {
    double seconds, processor, megabytes;
};

struct process {
    char *const *argv;
    const char *log;
    int alone; /* the launcher's ranks can't share its work */
};

/* Starts the process with its output added to the log, and waits for its end. */
static int run_logged(struct meta_table_runner *run, char *const argv[], const char *log,
                      int *status, struct outcome *out, struct meta_error *error)
{
    struct rusage usage = { 0 };
    pid_t child;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return meta_fail(error, "%s: can't write: %s", log, strerror(errno));
    off_t before = lseek(fd, 0, SEEK_END); /* the log is added to */
    double begun = meta_now();
    int failed = meta_process_start(&child, argv, NULL, (int[]){ -1, fd, fd });
    close(fd);
    if (failed) return meta_fail(error, "%s: can't run: %s", argv[0], strerror(failed));
    wait_for(run, child, status, &usage);
    int well = WIFEXITED(*status) && !WEXITSTATUS(*status);
    if (run->warn)
        meta_table_warnings_tell(&run->warnings, log, before < 0 ? 0 : before, well, run->warn,
                                 run->context);
    out->seconds = meta_now() - begun;
    out->processor = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    out->megabytes = usage.ru_maxrss / 1024.;
    return 0;
}

/* Puts the launcher's words before those of the process. Both results are freed. */
static int launch(char ***out, char **text, const char *launcher, char *const argv[],
                  struct meta_error *error)
{
    size_t most = strlen(launcher) / 2 + 2, n = 0, count = 0;
    while (argv[count]) count++;
    *text = strdup(launcher);
    *out = malloc((most + count) * sizeof **out);
    if (!*text || !*out) return meta_fail_memory(error);
    for (char *rest, *word = strtok_r(*text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        (*out)[n++] = word;
    memcpy(*out + n, argv, (count + 1) * sizeof **out);
    return 0;
}

/* Runs the process, behind the launcher where there is one and the process is of several ranks. */
static int run_launched(struct meta_table_runner *run, const struct process *p, int *status,
                        struct outcome *out, struct meta_error *error)
{
    char **words = NULL, *text = NULL;
    if (!run->launcher || p->alone) return run_logged(run, p->argv, p->log, status, out, error);
    int failed = launch(&words, &text, run->launcher, p->argv, error)
        || run_logged(run, words, p->log, status, out, error);
    free(words);
    free(text);
    return failed ? -1 : 0;
}

/* 0 when the process has ended with status 0. *out stays as it is when the process was not
   started. */
static int run_process(struct meta_table_runner *run, const struct process *p, struct outcome *out,
                       struct meta_error *error)
{
    char how[64];
    int status = 0;
    if (asked_to_stop(run)) return meta_fail(error, "stopped by signal %d", run->stop);
    if (run_launched(run, p, &status, out, error)) return -1;
    if (WIFEXITED(status) && !WEXITSTATUS(status)) return 0;
    /* a signal to the whole group may end the process before it is heard of here */
    if (asked_to_stop(run)) return meta_fail(error, "stopped by signal %d", run->stop);
    if (WIFSIGNALED(status)) snprintf(how, sizeof how, "ended by signal %d", WTERMSIG(status));
    else snprintf(how, sizeof how, "status %d", WEXITSTATUS(status));
    last_words(run, p->log, how, error);
    return -1;
}

/* Whether -valid_every is given to the row's training. To meta pretrain only when the table asks
   for other than what holds without it: given, a valid list without the classes that are trained is
   an error. */
static int gives_valid_every(const struct meta_table *t, const struct meta_table_row *row)
{
    if (!t->sources[row->source].has_valid) return 0;
    return row->train == META_TABLE_TRAIN || t->valid_every != META_VALID_EVERY;
}

int meta_table_train(struct meta_table_runner *run, const struct meta_table *t,
                     const struct meta_recipe *r, struct meta_error *error)
{
    char seed[32], every[32], total[32];
    struct outcome out = { 0 };
    struct meta_error lost;
    int resume = !access(r->state, F_OK), n = 13;
    if (meta_recipe_prepare(t, r, error) || meta_recipe_unchanged(t, r, error)) return -1;
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->seed);
    snprintf(every, sizeof every, "%d", t->valid_every);
    snprintf(total, sizeof total, "%d", r->total);
    const char *verb = r->row->train == META_TABLE_PRETRAIN ? "pretrain" : "train";
    const char *argv[20] = { run->program, "meta",  verb,       r->data,      r->cfg,
                             "-seed",      seed,    "-threads", run->threads, "-max_batches",
                             total,        "-name", r->name };
    if (resume) argv[n++] = "-resume";
    else if (r->beginning) {
        argv[n++] = "-fork";
        argv[n++] = r->beginning->state;
    }
    if (gives_valid_every(t, r->row)) {
        argv[n++] = "-valid_every";
        argv[n++] = every;
    }
    const struct process process = { (char *const *)argv, r->log, 0 };
    int status = run_process(run, &process, &out, error);
    /* where its last checkpoint failed it has final weights all the same: gone on with, it comes to
       every file */
    if (status && out.seconds > 0) unlink(r->final);
    int unsaved = out.seconds > 0 && meta_recipe_add_usage(r, out.processor, out.megabytes, &lost);
    if (unsaved && !status) {
        *error = lost;
        status = -1;
    }
    if (!status && !meta_recipe_done(r))
        status = meta_fail(error, "%s: isn't there after a training that ended well", r->final);
    return status;
}

/* The .weights of a training that are tested. The caller frees. */
static int name_trained(char **weights, const struct meta_cell *c, const struct meta_recipe *r,
                        struct meta_error *error)
{
    if (c->row->average)
        return meta_training_file(weights, META_TRAINING_AVERAGE, r->folder, r->name, error);
    return meta_table_text(weights, error, "%s", r->final);
}

/* The .weights that the cell is a test of, with a comma between those of an ensemble; NULL for a
   method without. The caller frees. */
static int name_weights(char **weights, const struct meta_cell *c, struct meta_error *error)
{
    const char *given = c->row->weights;
    *weights = NULL;
    if (!c->recipe) return given ? meta_table_text(weights, error, "%s", given) : 0;
    for (int k = 0; k < meta_cell_trainings(c); k++) {
        char *before = *weights, *one;
        if (name_trained(&one, c, meta_cell_training(c, k), error)) return -1;
        int failed = before ? meta_table_text(weights, error, "%s,%s", before, one) : 0;
        if (!before) *weights = one;
        else {
            free(before);
            free(one);
        }
        if (failed) return -1;
    }
    return 0;
}

/* Program, meta, test, DATA, CFG and -weights with its own, and the fourteen flags with a value
   that make_test knows. */
enum { MOST_WORDS = 5 + 2 + 2 * 14 };

/* The command line of a test; numbers are written into `digits`. */
struct command {
    const char *argv[MOST_WORDS + 1];
    int count;
    char digits[7][2 * META_NUMBER_TEXT];
    int numbers;
};

static void add_word(struct command *c, const char *word) { c->argv[c->count++] = word; }

static void add_number(struct command *c, const char *flag, int number)
{
    char *digits = c->digits[c->numbers++];
    snprintf(digits, sizeof c->digits[0], "%d", number);
    add_word(c, flag);
    add_word(c, digits);
}

static void add_text(struct command *c, const char *flag, const char *text)
{
    add_word(c, flag);
    add_word(c, text);
}

static void add_temper(struct command *c, const struct meta_list *temper)
{
    char *both = c->digits[c->numbers++], one[META_NUMBER_TEXT], other[META_NUMBER_TEXT];
    snprintf(both, sizeof c->digits[0], "%s,%s", meta_number_text(temper->values[0], one),
             meta_number_text(temper->values[1], other));
    add_text(c, "-temper", both);
}

/* The words of `meta test` for the cell, whose result goes to `part`. */
static void make_test(struct command *to, const struct meta_table_runner *run,
                      const struct meta_table *t, const struct meta_cell *c, const char *weights,
                      const char *part)
{
    const struct meta_table_row *row = c->row;
    add_word(to, run->program);
    add_text(to, "meta", "test");
    add_word(to, t->data);
    add_word(to, c->recipe ? c->recipe->cfg : row->cfg);
    if (weights && c->more_count) add_text(to, "-weights", weights);
    else if (weights) add_word(to, weights);
    add_number(to, "-seed", t->seed);
    add_number(to, "-runs", t->runs);
    add_number(to, "-shots", c->shots);
    add_text(to, "-out", part);
    add_text(to, "-threads", run->threads);
    add_text(to, "-method", meta_row_method_name(row->method));
    /* a temperature of the table's own training is none of its settings: no key has it */
    if (c->recipe && !c->more_count && !c->with && meta_methods[row->method]->tempers)
        add_text(to, "-temperature", "off");
    if (row->source) add_text(to, "-train_data", t->sources[row->source].data);
    if (c->with) add_text(to, "-with", c->with->answers);
    if (row->temper.count) add_temper(to, &row->temper);
    if (c->answers) add_text(to, "-csv", c->answers);
    if (row->epochs) add_number(to, "-epochs", row->epochs);
    if (row->augment) add_number(to, "-augment", row->augment);
    if (t->valid) add_text(to, "-list", meta_table_list_name(t, META_TABLE_TESTED));
}

int meta_table_test(struct meta_table_runner *run, const struct meta_table *t,
                    const struct meta_cell *c, struct meta_error *error)
{
    struct command command = { 0 };
    const struct process process = { (char *const *)command.argv, c->log,
                                     c->more_count > 0 || c->with };
    struct outcome out = { 0 };
    char *part = NULL, *weights = NULL;
    int status = -1;
    if (meta_table_text(&part, error, "%s.part", c->file) || name_weights(&weights, c, error))
        goto done;
    make_test(&command, run, t, c, weights, part);
    unlink(part);
    if (c->answers) unlink(c->answers);
    if (!meta_cell_unchanged(t, c, error) && !run_process(run, &process, &out, error)
        && !meta_cell_unchanged(t, c, error))
        status = meta_cell_finish(t, c, part, out.seconds, out.megabytes, error);
done:
    free(part);
    free(weights);
    return status;
}
