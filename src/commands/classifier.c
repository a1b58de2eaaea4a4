/* Loads a classifier, and asks it about the images of a list. */
#include "classifier.h"
#include "adaptation/weights_note.h"
#include "config/purpose.h"
#include "engine/log_odds.h"
#include "flags.h"
#include "images/turns.h"
#include "network/weights.h"
#include "tasks/list_place.h"
#include "tasks/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_copies(struct meta_classifier *c, const char *augment, struct meta_error *error)
{
    const struct meta_net_settings *net = &c->model->net;
    int most = meta_turns(net->height, net->width);
    c->copies = (int)meta_flag_int("-augment", augment, 1, 1, 1000);
    if (c->copies <= most) return 0;
    return meta_fail(error, "-augment %d: must be 1 to %d, %s of %dx%d pixels", c->copies, most,
                     most > 4 ? "the flips and quarter turns" : "the flips", net->width,
                     net->height);
}

int meta_classifier_fill(struct meta_classifier *c, struct meta_error *error)
{
    c->classes = meta_network_outputs(c->model->network);
    if (!(c->filled = calloc((size_t)c->weights.count, sizeof *c->filled)))
        return meta_fail_memory(error);
    for (int i = 0; i < c->weights.count; i++) {
        struct meta_filled *f = &c->filled[i];
        f->network = c->model->network;
        if (meta_weights_load(f->network, c->weights.words[i], &f->parameters, &f->statistics,
                              error))
            return -1;
    }
    meta_classifier_warn_weights(
        &(struct meta_class_files){ c->model->path, c->weights.words, c->weights.count });
    return 0;
}

void meta_classifier_warn_weights(const struct meta_class_files *files)
{
    struct meta_error why;
    for (int i = 0; i < files->count; i++)
        if (meta_weights_note_check(files, i, &why))
            fprintf(stderr, "darknet: warning: %s\n", why.text);
}

void meta_classifier_warn_names(const struct meta_class_order *own,
                                const struct meta_class_files *files)
{
    struct meta_error why;
    if (meta_class_notes_alike(own, files, &why))
        fprintf(stderr, "darknet: warning: %s\n", why.text);
}

int meta_classifier_open(struct meta_classifier *c, const struct meta_classifier_words *w,
                         struct meta_error *error)
{
    *c = (struct meta_classifier){ .backend = w->backend };
    if (w->several) {
        if (meta_word_list(&c->weights, "-weights", w->several, error)) return -1;
    } else {
        if (!(c->weights.words = malloc(sizeof *c->weights.words))) return meta_fail_memory(error);
        c->weights.words[c->weights.count++] = (char *)w->weights;
    }
    return meta_model_load_for(&c->model, w->cfg, META_FOR_ANY, error)
            || (!w->raw && meta_purpose_check_adapted(c->model, w->remedy, error))
            || check_copies(c, w->augment, error)
        ? -1
        : 0;
}

int meta_classifier_check_order(const struct meta_classifier *c, const struct meta_data *data,
                                struct meta_error *error)
{
    const struct meta_class_order own = { data->path, data->names, data->classes };
    const struct meta_class_files files = { c->model->path, c->weights.words, c->weights.count };
    return meta_class_notes_check(&own, &files, error);
}

void meta_classifier_clear(struct meta_classifier *c)
{
    for (int i = 0; c->filled && i < c->weights.count; i++) {
        free(c->filled[i].parameters);
        free(c->filled[i].statistics);
    }
    free(c->filled);
    meta_word_list_clear(&c->weights);
    meta_model_free(c->model);
    *c = (struct meta_classifier){ 0 };
}

/* ---- answers --------------------------------------------------------------------------------- */

struct asking {
    const struct meta_classifier *classifier;
    struct meta_answers *answers;
    struct meta_mean_answer **predictors; /* (threads) */
    float **images;                       /* (threads) room for one */
    struct meta_error *why;               /* (count) an empty text: no fault */
};

static void ask(void *context, int i, int worker)
{
    struct asking *a = context;
    const struct meta_dataset *set = a->answers->set;
    const struct meta_view view = { .net = &a->classifier->model->net };
    int classes = a->classifier->classes;
    double *out = a->answers->log_odds + (size_t)i * classes;
    meta_view_image(set, i, &view, a->images[worker]);
    if (meta_mean_answer_run(a->predictors[worker], a->images[worker], out, &a->why[i])) return;
    a->why[i].text[0] = 0;
    if (meta_log_odds_lack(out, classes))
        meta_fail(&a->why[i], "%s%s: the answer is no number",
                  meta_list_place(set->list, set->lines[i]).text, set->paths[i]);
}

static int ask_all(struct asking *a, struct meta_pool *pool, struct meta_error *error)
{
    const struct meta_classifier *c = a->classifier;
    int n = a->answers->set->count;
    for (int t = 0; t < meta_pool_threads(pool); t++) {
        if (meta_mean_answer_create(&a->predictors[t], c->filled, c->weights.count, c->copies,
                                    c->backend, error))
            return -1;
        a->images[t] = malloc(meta_shape_numbers(c->model->network->input) * sizeof **a->images);
        if (!a->images[t]) return meta_fail(error, "out of memory for an image");
    }
    meta_pool_run(pool, n, ask, a);
    for (int i = 0; i < n; i++)
        if (*a->why[i].text) return meta_fail(error, "%s", a->why[i].text);
    return 0;
}

int meta_answers_read(struct meta_answers *out, const struct meta_classifier *c,
                      const struct meta_data *data, const char *list, struct meta_pool *pool,
                      struct meta_error *error)
{
    const struct meta_net_settings *net = &c->model->net;
    const struct meta_dataset_source source = { .data = data,
                                                .list = list,
                                                .width = net->width,
                                                .height = net->height,
                                                .channels = net->channels,
                                                .orientation = net->orientation };
    *out = (struct meta_answers){ 0 };
    if (meta_dataset_load(&out->set, &source, pool, error)) return -1;
    size_t n = (size_t)out->set->count, threads = (size_t)meta_pool_threads(pool);
    struct asking a = { c, out, calloc(threads, sizeof *a.predictors),
                        calloc(threads, sizeof *a.images), calloc(n, sizeof *a.why) };
    out->group = malloc(n * sizeof *out->group);
    out->log_odds = malloc(n * (size_t)c->classes * sizeof *out->log_odds);
    int status = a.predictors && a.images && a.why && out->group && out->log_odds
        ? 0
        : meta_fail(error, "%s: out of memory for %zu images", list, n);
    if (!status)
        status = meta_dataset_clusters(out->set, out->group, &out->groups, error)
                || ask_all(&a, pool, error)
            ? -1
            : 0;
    for (size_t t = 0; t < threads; t++) {
        if (a.predictors) meta_mean_answer_free(a.predictors[t]);
        if (a.images) free(a.images[t]);
    }
    free(a.predictors);
    free(a.images);
    free(a.why);
    return status;
}

void meta_answers_clear(struct meta_answers *a)
{
    meta_dataset_free(a->set);
    free(a->group);
    free(a->log_odds);
    *a = (struct meta_answers){ 0 };
}
