/* Puts a trainer together from its .data and .cfg files, in an order in which errors come before
   long work, and before any file is written; and takes it apart. */
#include "trainer_internal.h"

#include <stdlib.h>

#include "base/plural.h"

/* The network's outputs are the classes that the training list has images of, in the .data file's
   order. */
static int number_outputs(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    int count = 0, outputs = meta_network_outputs(net);
    if (!(t->outputs = malloc(t->train->classes * sizeof *t->outputs)))
        return meta_fail_memory(error);
    for (int k = 0; k < t->train->classes; k++) t->outputs[k] = -1;
    for (int i = 0; i < t->train->count; i++) t->outputs[t->train->label[i]] = 0;
    for (int k = 0; k < t->train->classes; k++)
        if (!t->outputs[k]) t->outputs[k] = count++;
    if (count == outputs) return 0;
    return meta_fail(error,
                     "%s:%d: [softmax]: gives %d probabilities, but %s has images of %d class%s: "
                     "must be equal",
                     t->model->path, net->layers[net->count - 1].line, outputs, t->train->list,
                     count, meta_plural_es(count));
}

static int valid_has_outputs(const struct meta_trainer *t)
{
    for (int i = 0; i < t->valid->count; i++)
        if (t->outputs[t->valid->label[i]] >= 0) return 1;
    return 0;
}

/* A valid list of other classes, to watch meta-training by, is of no use to supervised training: it
   is an error only when the user asked for it. */
static int open_valid(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    /* a site watches its own list by itself */
    struct meta_transport *others = meta_trainer_federated(t) ? NULL : s->transport;
    const struct meta_evaluation_parts parts = { t->model, s->backend, t->pool, t->valid, others };
    if (meta_trainer_of_images(t)) {
        if (!s->valid_asked && !valid_has_outputs(t)) return 0;
        return meta_holdout_create(&t->holdout, &parts, t->outputs, error);
    }
    const struct meta_evaluation e = { .episode = *t->model->episode,
                                       .runs = s->valid_runs,
                                       .seed = s->seed,
                                       .rates = meta_learned_rates(meta_outer_rates(t->outer)) };
    return meta_evaluator_create(&t->evaluator, &parts, &e, error);
}

static int load_lists(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_shape in = t->model->network->input;
    struct meta_dataset_source source = { .data = t->data,
                                          .list = t->data->train,
                                          .width = in.w,
                                          .height = in.h,
                                          .channels = in.c,
                                          .orientation = t->model->net.orientation,
                                          .side = t->model->net.max_crop,
                                          .cache = 1,
                                          .shared = meta_transport_many(t->settings.transport) };
    if (meta_dataset_load(&t->train, &source, t->pool, error)) return -1;
    if (meta_trainer_of_images(t)
            ? number_outputs(t, error)
            : meta_sampler_create(&t->sampler, t->train, t->model->episode, error))
        return -1;
    if (!t->settings.valid_every || !t->data->valid) return 0;
    source.list = t->data->valid;
    source.side = 0;
    return meta_dataset_load(&t->valid, &source, t->pool, error) || open_valid(t, error) ? -1 : 0;
}

/* The curriculum starts at the iteration that the weights are at; a checkpoint replaces it. */
static int open_curriculum(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_error why;
    const struct meta_episode_settings *e = t->model->episode;
    if (meta_trainer_of_images(t) || e->sampler != META_CURRICULUM) return 0;
    int classes = meta_sampler_classes(t->sampler);
    uint64_t first = t->seen / t->images + 1;
    if (!meta_curriculum_create(&t->curriculum, classes, e, t->settings.seed, first, &why))
        return 0;
    return meta_fail(error, "%s:%d: [episode] %s", t->model->path, t->model->episode_line,
                     why.text);
}

/* Tasks, or the parts of mini-batches, are made META_AHEAD ahead of use. */
static int open_stream(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    const struct meta_net_settings *net = &t->model->net;
    struct meta_part own = meta_part_own(s->transport, (size_t)t->tasks);
    const struct meta_stream_settings how = { .set = t->train,
                                              .net = net,
                                              .augment = 1,
                                              .seed = s->seed,
                                              .first = t->done + 1,
                                              .tasks = t->tasks,
                                              .begin = (int)own.begin,
                                              .own = (int)(own.end - own.begin),
                                              .ahead = META_AHEAD(t->tasks),
                                              .threads = META_LOADERS(s->threads) };
    if (meta_trainer_of_images(t))
        return meta_stream_create_images(&t->stream, &how, t->outputs, net->batch / t->tasks,
                                         error);
    if (meta_stream_create(&t->stream, &how, t->sampler, t->model->episode, error)) return -1;
    for (int i = 1; t->curriculum && i <= META_CURRICULUM_LAG; i++)
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, t->done + i));
    return 0;
}

/* The .cfg and the .data file, and the numbers of both that the command line may change. */
static int read_files(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    enum meta_purpose purpose = meta_trainer_of_images(t) ? META_FOR_IMAGES : META_FOR_TASKS;
    if (meta_model_load_for(&t->model, s->cfg, purpose, error)
        || meta_data_read(&t->data, s->data, error))
        return -1;
    if (!t->data->train)
        return meta_fail(error, "%s: has no train=: training needs a list of images", s->data);
    if (s->valid_asked && s->valid_every && !t->data->valid)
        return meta_fail(error, "%s: has no valid=, which -valid_every needs", s->data);
    if (s->max_batches) t->model->net.max_batches = s->max_batches;
    t->total = t->model->net.max_batches;
    if (t->total) return meta_trainer_check_sites(t, error);
    return meta_fail(error,
                     "%s:%d: [net] max_batches: is 0 or not there: must be at least 1, here or as "
                     "-max_batches",
                     t->model->path, t->model->net_line);
}

static int allocate_rates(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_rates shape;
    const struct meta_rates_how how = meta_rates_how_of(t->model->inner);
    if (how.kind == META_RATES_FIXED) return 0;
    if (meta_rates_shape(&shape, t->model->network, how, error)) return -1;
    t->rate_numbers = meta_rates_numbers(&shape);
    free(shape.layer);
    t->rates = calloc(t->rate_numbers, sizeof *t->rates);
    return t->rates ? 0 : meta_fail_memory(error);
}

uint64_t meta_training_images(const struct meta_model *m, enum meta_training_kind kind)
{
    const struct meta_episode_settings *e = m->episode;
    return kind == META_TRAINING_IMAGES ? (uint64_t)m->net.batch
                                        : (uint64_t)e->tasks * e->ways * (e->shots + e->queries);
}

static int allocate(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    t->tasks = meta_trainer_of_images(t) ? t->model->net.subdivisions : t->model->episode->tasks;
    t->images = meta_training_images(t->model, t->settings.kind);
    t->parameters = calloc(net->parameters + 1, sizeof *t->parameters);
    t->statistics = calloc(net->statistics + 1, sizeof *t->statistics);
    t->watched = calloc(net->statistics + 1, sizeof *t->watched);
    t->batches = calloc(t->tasks, sizeof *t->batches);
    if (!t->parameters || !t->statistics || !t->watched || !t->batches)
        return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    return allocate_rates(t, error);
}

static int fingerprint(const struct meta_trainer *t, const struct meta_dataset *train, char **text,
                       struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    const struct meta_fingerprint_parts parts = { .model = t->model,
                                                  .backend = s->backend,
                                                  .seed = s->seed,
                                                  .train = train,
                                                  .federation = &s->federation,
                                                  .sites = s->transport ? s->transport->size : 1,
                                                  .site = s->transport ? s->transport->rank : 0 };
    return meta_fingerprint(text, &parts, error);
}

static int open_learning(void *trainer, struct meta_error *error)
{
    struct meta_trainer *t = trainer;
    const struct meta_training_settings *s = &t->settings;
    int task_threads = s->threads < t->tasks ? s->threads : t->tasks;
    if (meta_pool_create(&t->pool, s->threads, error)) return -1;
    if (meta_pool_create(&t->task_pool, task_threads, error)) return -1;
    const struct meta_outer_parts outer = { t->model, s->backend,   t->task_pool,
                                            s->seed,  s->transport, &s->federation };
    if (meta_outer_create(&t->outer, &outer, error)) return -1;
    if (load_lists(t, error) || open_curriculum(t, error)) return -1;
    if (t->model->net.average > 0
        && meta_average_create(&t->average, t->model->network, s->backend, t->model->net.average,
                               t->rate_numbers, error))
        return -1;
    t->state_size = meta_trainer_state_bytes(t);
    t->state = calloc(1, t->state_size);
    if (!t->state) return meta_fail(error, "out of memory for the checkpoint");
    if (meta_trainer_federated(t) && fingerprint(t, NULL, &t->common, error)) return -1;
    return fingerprint(t, t->train, &t->fingerprint, error);
}

/* The first rank of each machine opens before its others, which take the images from the cache that
   it leaves: they are decoded, and lie in memory, once a machine. Sites have images of their own.
 */
static int open_in_turn(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    if (!meta_transport_many(ranks) || meta_trainer_federated(t)) return open_learning(t, error);
    return meta_transport_in_turn(ranks, open_learning, t, error);
}

static int open_parts(struct meta_trainer *t, struct meta_checkpoint *c, struct meta_error *error)
{
    int status = read_files(t, error) || allocate(t, error) || meta_trainer_name_files(t, error)
            || meta_trainer_read_start(t, c, error)
        ? -1
        : 0;
    if (meta_trainer_share_start(t, c, status, error)) return -1;
    if (meta_trainer_compare_ranks(t, open_in_turn(t, error), error)) return -1;
    status = meta_trainer_start(t, c, error) || open_stream(t, error) ? -1 : 0;
    t->first = t->done;
    if (!status)
        status = meta_trainer_check_folder(t, error) || meta_trainer_open_log(t, error) ? -1 : 0;
    return meta_trainer_share_open(t, status, error);
}

static int open_sent(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    if (!meta_trainer_federated(t) || !ranks) return 0;
    if (meta_sent_create(&t->sent, error)) return -1;
    ranks->recorder = t->sent;
    ranks->record = meta_sent_record;
    return 0;
}

int meta_trainer_open(struct meta_trainer **out, const struct meta_training_settings *settings,
                      struct meta_error *error)
{
    struct meta_checkpoint checkpoint = { 0 };
    struct meta_trainer *t = calloc(1, sizeof *t);
    if (!t) return meta_fail_memory(error);
    t->settings = *settings;
    t->log.fd = t->lines.fd = t->running.fd = -1;
    t->saved = UINT64_MAX;
    pthread_mutex_init(&t->lock, NULL);
    int status = open_sent(t, error) || open_parts(t, &checkpoint, error) ? -1 : 0;
    meta_checkpoint_free(&checkpoint);
    if (status) meta_trainer_free(t);
    else *out = t;
    return status;
}

void meta_trainer_free(struct meta_trainer *t)
{
    if (!t) return;
    meta_stream_free(t->stream);
    meta_evaluator_free(t->evaluator);
    meta_holdout_free(t->holdout);
    meta_average_free(t->average);
    meta_outer_free(t->outer);
    meta_curriculum_free(t->curriculum);
    meta_sampler_free(t->sampler);
    meta_dataset_free(t->valid);
    meta_dataset_free(t->train);
    meta_pool_free(t->task_pool);
    meta_pool_free(t->pool);
    meta_data_free(t->data);
    meta_model_free(t->model);
    meta_log_close(&t->log);
    meta_log_close(&t->lines);
    meta_lock_release(&t->running);
    for (int file = 0; file < META_TRAINING_FILES; file++) free(t->path[file]);
    free(t->batches);
    free(t->outputs);
    free(t->folder);
    free(t->name);
    free(t->kept);
    free(t->fingerprint);
    free(t->measured);
    free(t->common);
    free(t->state);
    free(t->parameters);
    free(t->statistics);
    free(t->rates);
    free(t->watched);
    if (t->sent) t->settings.transport->record = NULL;
    meta_sent_free(t->sent);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
