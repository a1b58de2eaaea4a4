/* `meta train` and `meta pretrain`: what the flags say, and what is told before the first
   iteration. */
#define _GNU_SOURCE
#include "base/plural.h"
#include "base/pool.h"
#include "console.h"
#include "federated.h"
#include "flags.h"
#include "learning/notices.h"
#include "learning/rates_file.h"
#include "network/weights.h"
#include "ranks.h"
#include "train_run.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a file that has not all layers. */
static void print_layers(const struct meta_trainer *t, const struct meta_network *net)
{
    int layers = meta_trainer_layers_read(t);
    char text[META_WEIGHTS_TOLD];
    if (layers == net->count) return;
    meta_weights_tell(text, net, layers);
    printf("It has %s\n", text);
}

static void print_kept(const char *kept, uint64_t iteration)
{
    char at[40] = "";
    if (iteration) snprintf(at, sizeof at, ", at iteration %llu,", (unsigned long long)iteration);
    printf("The training of this name that was there%s is kept as %s\n", at, kept);
}

static void print_notice(void *context, const char *text) { puts(text); }

/* The weights' own count is the stock way to go on with a training; a new one may not expect it. */
static void print_weights(const struct meta_trainer *t)
{
    const char *weights = meta_trainer_settings(t)->weights;
    unsigned long long done = meta_trainer_done(t);
    printf("Starting from %s at iteration %llu", weights, done);
    if (done)
        printf(", by the images it has seen: the policy of the rate%s count from there; with "
               "-clear from 0",
               meta_trainer_settings(t)->kind == META_TRAINING_IMAGES ? ""
                                                                      : ", start, "
                                                                        "second_order_start and "
                                                                        "multi_step");
    putchar('\n');
}

/* Learned rates lie beside weights, or begin anew. */
static void print_rates(const struct meta_trainer *t, const struct meta_inner_settings *inner)
{
    const char *weights = meta_trainer_settings(t)->weights;
    char *path = meta_rates_path(weights);
    if (inner->rates == META_RATES_FIXED || !path) {
        free(path);
        return;
    }
    if (meta_rates_exist(weights))
        printf("Rates of the inner steps from %s, in place of learning_rate=%g\n", path,
               inner->learning_rate);
    else
        printf("No %s: the rates of the inner steps begin at learning_rate=%g\n", path,
               inner->learning_rate);
    free(path);
}

static void warn_of_slow_layer(const struct meta_trainer *t)
{
    const char *implementation;
    int layer = meta_trainer_slow_layer(t, &implementation);
    if (layer < 0) return;
    printf("Warning: layer %d is slow on this processor: its library has only a reference "
           "implementation of it, %s\n",
           layer, implementation);
}

static void print_meeting(const struct meta_trainer *t)
{
    int local;
    unsigned long long met = meta_trainer_odd_meeting(t, &local);
    if (met)
        printf("The sites met after iteration %llu, where the training ended then; an unbroken one "
               "meets every %d iterations: its weights are others\n",
               met, local);
}

static void print_ranks(const struct meta_transport *t, int federated)
{
    if (!meta_transport_many(t)) return;
    printf("%d %s by %s, as many threads in each:", t->size, federated ? "sites" : "ranks",
           t->name);
    for (int k = 0, same; k < t->size; k += same) {
        for (same = 1; k + same < t->size && !strcmp(t->hosts[k], t->hosts[k + same]);) same++;
        printf(" %s (%d)", t->hosts[k], same);
    }
    putchar('\n');
}

/* A curriculum chooses among the kinds of task that the train list has classes for. */
static void print_curriculum(const struct meta_trainer *t)
{
    const struct meta_model *model = meta_trainer_model(t);
    const struct meta_episode_settings *e = model->episode;
    if (!e || e->sampler != META_CURRICULUM || meta_trainer_classes(t) != e->ways) return;
    printf("%s:%d: [episode] sampler=curriculum: has no effect: %s has %d classes, which make one "
           "kind of task of %d ways\n",
           model->path, model->episode_line, meta_trainer_train_set(t)->list, e->ways, e->ways);
}

static void print_start(const struct meta_trainer *t)
{
    const struct meta_training_settings *s = meta_trainer_settings(t);
    const struct meta_model *model = meta_trainer_model(t);
    const struct meta_dataset *train = meta_trainer_train_set(t),
                              *valid = meta_trainer_valid_set(t);
    const char *state = meta_trainer_path(t, META_TRAINING_STATE), *was, *now;
    unsigned long long done = meta_trainer_done(t);
    uint64_t iteration;
    const char *kept = meta_trainer_kept(t, &iteration);
    printf("%s: %zu parameters, %d training images, %d thread%s, %s, seed %llu\n",
           meta_trainer_name(t), model->network->parameters, train->count, s->threads,
           meta_plural(s->threads), s->backend->name, (unsigned long long)s->seed);
    print_ranks(s->transport, s->federation.mode != META_NOT_FEDERATED);
    meta_tell_cache(train);
    if (valid) meta_tell_cache(valid);
    if (meta_ranks_warns(s->transport)) meta_warn_groupless(meta_trainer_data(t), train);
    meta_tell_copies(train);
    if (valid && meta_ranks_warns(s->transport)) meta_warn_shared(valid, train);
    meta_tell_depth(meta_trainer_data(t), train);
    if (valid && !meta_trainer_watches(t))
        printf("%s has none of the classes that are trained: it is not watched\n", valid->list);
    if (kept) print_kept(kept, iteration);
    if (s->fork) printf("Forking %s at iteration %llu\n", s->fork, done);
    else if (s->resume) printf("Resuming %s at iteration %llu\n", state, done);
    if (meta_trainer_instructions_changed(t, &was, &now))
        printf("Its iterations were made by %s instructions, the next ones by %s: equal to an "
               "unbroken run to rounding, not bit for bit\n",
               was, now);
    if (meta_trainer_best_anew(t)) puts(meta_trainer_best_anew(t));
    print_meeting(t);
    warn_of_slow_layer(t);
    if (s->weights) {
        print_weights(t);
        if (model->inner) print_rates(t, model->inner);
        print_layers(t, model->network);
    }
    print_curriculum(t);
    meta_notices(model, print_notice, NULL);
    fflush(stdout);
}

static int check_start(const struct meta_training_settings *s, struct meta_error *error)
{
    if (s->resume && s->overwrite)
        return meta_fail(error, "-resume goes on with what is there: it takes no -overwrite");
    if ((s->resume && s->fork) || ((s->resume || s->fork) && (s->weights || s->clear)))
        return meta_fail(error, "%s goes on from a checkpoint: it takes no WEIGHTS, no -clear%s",
                         s->fork ? "-fork" : "-resume", s->fork ? " and no -resume" : "");
    return 0;
}

static int run(struct meta_training_settings *s, int backup_every,
               const struct meta_ranks_flags *flags, const struct meta_federated_flags *federated)
{
    struct meta_error error;
    struct meta_trainer *t;
    struct meta_transport *ranks;
    char *data;
    if (meta_ranks_open(&ranks, flags)) return 1;
    s->transport = ranks;
    int status = meta_federated_open(federated, s, &data, &error)
        || meta_trainer_open(&t, s, &error);
    if (status) status = meta_ranks_complain(ranks, &error);
    else {
        print_start(t);
        meta_federated_tell(t, federated, 1);
        fflush(stdout);
        status = meta_ranks_meet(ranks, meta_train_run(t, backup_every));
        meta_federated_tell(t, federated, 0);
        meta_trainer_free(t);
    }
    free(data);
    return meta_ranks_close(ranks, status);
}

static int given(const char *flag, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], flag)) return 1;
    return 0;
}

/* What flags say in numbers, and names of backends. */
struct numbers {
    const char *seed, *threads, *max_batches, *valid_every, *valid_runs, *backup_every, *backend,
        *kernels;
};

/* Returns the iterations between checkpoints. */
static int read_numbers(struct meta_training_settings *s, const struct numbers *n)
{
    s->threads = meta_flag_int("-threads", n->threads, meta_pool_cores(), 1, META_POOL_MOST);
    s->max_batches = meta_flag_int("-max_batches", n->max_batches, 0, 1, META_MOST_ITERATIONS);
    s->valid_every = meta_flag_int("-valid_every", n->valid_every, META_VALID_EVERY, 0, 100000000);
    s->valid_runs = meta_flag_int("-valid_runs", n->valid_runs, META_VALID_RUNS, 1, 1000000);
    s->valid_asked = n->valid_every != NULL;
    return meta_flag_int("-backup_every", n->backup_every, 100, 1, 100000000);
}

/* Both commands have the same flags, but for those of tasks alone. */
static int train(enum meta_training_kind kind, int argc, char **argv)
{
    struct numbers n = { 0 };
    struct meta_training_settings s = { .kind = kind };
    struct meta_ranks_flags ranks = { 0 };
    struct meta_federated_flags federated = { 0 };
    int images = kind == META_TRAINING_IMAGES;
    const struct meta_flag flags[] = {
        { "-seed", "N",
          images ? "random numbers: mini-batches, augmentation, dropout, initial weights (1)"
                 : "random numbers: tasks, augmentation, dropout, initial weights (1)",
          &n.seed, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)",
          &n.threads, NULL },
        { "-clear", NULL, "count iterations from 0, whatever WEIGHTS have seen", NULL, &s.clear },
        { "-resume", NULL, "go on from NAME.state in the backup folder, bit for bit", NULL,
          &s.resume },
        { "-name", "NAME",
          "of the files in the backup folder (the .cfg's, with -seedN behind it where N is not 1)",
          &s.name, NULL },
        { "-overwrite", NULL,
          "drop what a training of this name left there: else it is kept as NAME.1, NAME.2...",
          NULL, &s.overwrite },
        { "-max_batches", "N",
          images ? "iterations ([net] max_batches)" : "meta-iterations ([net] max_batches)",
          &n.max_batches, NULL },
        { "-valid_every", "N",
          images ? "iterations between accuracies on the valid list, 0: never (250)"
                 : "iterations between AUCs on the valid list, 0: never (250)",
          &n.valid_every, NULL },
        { "-log", NULL, "writes NAME.jsonl, too: the log as lines of JSON", NULL, &s.lines },
        { "-backup_every", "N", "iterations between checkpoints (100)", &n.backup_every, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &n.backend, NULL },
        { "-kernels", "SET", "own or onednn (own): 3x3 convolutions by tiles, or oneDNN's",
          &n.kernels, NULL },
        META_RANKS_ROWS(ranks),
        /* from here on, flags of tasks alone */
        { "-valid_runs", "N", "tasks of such an AUC (100)", &n.valid_runs, NULL },
        { "-fork", "FILE.state",
          "go on from another run's checkpoint, where [meta_loss] alone differs and has not yet "
          "weighed a task",
          &s.fork, NULL },
        META_FEDERATED_ROWS(federated),
    };
    /* -site stands for DATA */
    const int sites = !images && given("-site", argc, argv);
    const struct meta_syntax syntax = {
        images ? "pretrain DATA CFG [WEIGHTS]" : "train DATA CFG [WEIGHTS]", 2 - sites, 3 - sites,
        flags, sizeof flags / sizeof *flags - (images ? 2 + META_FEDERATED_COUNT : 0)
    };
    int words = meta_flags_parse(argc, argv, &syntax), cfg = 1 - sites;
    struct meta_error error;
    s.data = sites ? NULL : argv[0];
    s.cfg = argv[cfg];
    s.weights = words > cfg + 1 ? argv[cfg + 1] : NULL;
    s.seed = meta_flag_seed(n.seed, META_TRAINING_SEED);
    s.backend = meta_flag_kernels(meta_flag_backend(n.backend, "onednn"), n.kernels);
    int every = read_numbers(&s, &n);
    if (meta_federated_read(&s.federation, &federated)) return 1;
    return check_start(&s, &error) ? meta_complain(&error) : run(&s, every, &ranks, &federated);
}

int meta_command_train(int argc, char **argv) { return train(META_TRAINING_TASKS, argc, argv); }

int meta_command_pretrain(int argc, char **argv) { return train(META_TRAINING_IMAGES, argc, argv); }
