#define _GNU_SOURCE
/* Outputs of every layer, batch statistics and the loss against the stock library's own forward_network, on both backends, with
   training and inference statistics; and the stock program's predictions from a .weights file of ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <darknet.h>
#include "images/image.h"
#include "config/model.h"
#include "engine/program_internal.h"
#include "base/rng.h"
#include "network/weights.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

#define LIMIT 1e-5                    /* of the largest number of a layer's output, or of 1 */

struct stock_case { const char *name, *net, *layers; int statistics; };    /* statistics: TRAINING | INFERENCE */
enum { TRAINING = 1, INFERENCE = 2, BOTH = 3 };

#define NET(w, h, c) "[net]\nbatch=4\nwidth=" #w "\nheight=" #h "\nchannels=" #c "\nmax_batches=10\n"
#define CONV(filters, size, stride, rest) "[convolutional]\nfilters=" #filters "\nsize=" #size "\nstride=" #stride "\n" rest
#define BN "batch_normalize=1\n"
#define PAD "pad=1\n"
#define ACTIVATION(name) "activation=" #name "\n"
#define BLOCK CONV(16, 3, 1, PAD BN ACTIVATION(relu)) "[maxpool]\nsize=2\nstride=2\npadding=0\n"
#define END "[connected]\noutput=3\nactivation=linear\n[softmax]\n"

static const struct stock_case cases[] = {
    { "convolutional, 3x3", NET(11, 9, 3), CONV(6, 3, 1, PAD ACTIVATION(relu)) END, BOTH },
    { "convolutional, 1x1", NET(11, 9, 3), CONV(17, 1, 1, ACTIVATION(leaky)) END, BOTH },
    { "convolutional, 5x5, stride 2", NET(11, 9, 1), CONV(5, 5, 2, PAD ACTIVATION(linear)) END, BOTH },
    { "convolutional, no padding", NET(11, 9, 3), CONV(5, 3, 2, ACTIVATION(logistic)) END, BOTH },
    { "convolutional, padding 2", NET(11, 9, 3), CONV(7, 3, 1, "padding=2\n" ACTIVATION(leaky)) END, BOTH },
    { "convolutional, even size", NET(11, 9, 3), CONV(7, 4, 3, PAD ACTIVATION(leaky)) END, BOTH },
    { "convolutional, defaults", NET(6, 6, 3), "[convolutional]\n" END, BOTH },
    { "convolutional, batch_normalize", NET(11, 9, 3), CONV(33, 3, 1, PAD BN ACTIVATION(leaky)) END, BOTH },
    { "convolutional, batch_normalize, logistic", NET(11, 9, 3), CONV(8, 3, 2, BN ACTIVATION(logistic)) END, BOTH },
    { "connected", NET(5, 4, 3), "[connected]\noutput=7\nactivation=leaky\n" END, BOTH },
    { "connected, defaults", NET(5, 4, 3), "[connected]\n" END, BOTH },
    { "connected, batch_normalize", NET(5, 4, 3), "[connected]\noutput=9\nbatch_normalize=1\nactivation=relu\n" END, BOTH },
    { "maxpool, 2/2", NET(11, 9, 3), CONV(5, 3, 1, PAD BN ACTIVATION(leaky)) "[maxpool]\nsize=2\nstride=2\n" END, BOTH },
    { "maxpool, 3/2", NET(12, 9, 3), CONV(5, 3, 1, PAD BN ACTIVATION(relu)) "[maxpool]\nsize=3\nstride=2\n" END, BOTH },
    { "maxpool, 3/1", NET(12, 9, 3), CONV(5, 3, 1, PAD ACTIVATION(linear)) "[maxpool]\nsize=3\nstride=1\n" END, BOTH },
    { "maxpool, 2/2, no padding", NET(11, 9, 3), CONV(5, 3, 1, PAD ACTIVATION(leaky)) "[maxpool]\nsize=2\nstride=2\npadding=0\n" END, BOTH },
    { "maxpool of the images, 5/3", NET(12, 9, 3), "[maxpool]\nsize=5\nstride=3\n" END, BOTH },
    { "avgpool", NET(11, 9, 3), CONV(9, 3, 1, BN ACTIVATION(leaky)) "[avgpool]\n" END, BOTH },
    { "softmax of a map, temperature", NET(7, 5, 3), CONV(2, 5, 2, ACTIVATION(linear)) "[softmax]\ntemperature=2.5\n", BOTH },
    { "activation", NET(6, 5, 3), CONV(4, 3, 1, ACTIVATION(linear)) "[activation]\nactivation=leaky\n"
      CONV(5, 3, 1, ACTIVATION(linear)) "[activation]\nactivation=logistic\n[activation]\nactivation=relu\n" END, BOTH },
    { "shortcut", NET(8, 6, 3), CONV(5, 3, 1, PAD BN ACTIVATION(leaky)) CONV(5, 3, 1, PAD BN ACTIVATION(linear))
      "[shortcut]\nfrom=-2\nactivation=leaky\nalpha=.7\nbeta=1.3\n" END, BOTH },
    { "shortcut from a larger map of more channels", NET(8, 6, 3), CONV(7, 3, 1, PAD ACTIVATION(leaky)) CONV(4, 3, 2, PAD ACTIVATION(leaky))
      "[shortcut]\nfrom=0\nalpha=.5\nactivation=relu\n" END, BOTH },
    { "shortcut from a smaller map of fewer channels", NET(8, 6, 3), CONV(7, 3, 1, PAD ACTIVATION(leaky)) CONV(4, 3, 2, PAD ACTIVATION(leaky))
      "[route]\nlayers=0\n[shortcut]\nfrom=1\nalpha=.5\nbeta=2\nactivation=logistic\n" END, BOTH },
    { "route", NET(8, 6, 3), CONV(5, 3, 1, PAD ACTIVATION(leaky)) CONV(4, 3, 2, PAD ACTIVATION(relu)) "[route]\nlayers=-2\n"
      CONV(3, 3, 2, PAD BN ACTIVATION(leaky)) "[route]\nlayers=-1,1\n" END, BOTH },
    { "dropout", NET(8, 6, 3), CONV(5, 3, 1, PAD ACTIVATION(leaky)) "[dropout]\nprobability=.4\n" END, INFERENCE },
    { "convolutional, groups of 4 to 8 channels", NET(8, 6, 3), CONV(16, 1, 1, ACTIVATION(linear)) CONV(32, 3, 1, PAD BN ACTIVATION(leaky) "groups=4\n") END, BOTH },
    { "convolutional, a group a channel", NET(8, 6, 3), CONV(18, 1, 1, ACTIVATION(linear)) CONV(18, 3, 2, PAD ACTIVATION(relu) "groups=18\n") END, BOTH },
    { "convolutional, groups of the images", NET(8, 6, 3), CONV(6, 3, 1, PAD BN ACTIVATION(leaky) "groups=3\n") "[maxpool]\nsize=2\nstride=2\n" END, BOTH },
    { "crop", NET(9, 12, 3), "[crop]\ncrop_width=6\ncrop_height=7\nflip=1\n" CONV(5, 3, 1, PAD ACTIVATION(leaky)) END, INFERENCE },
    { "crop, noadjust", NET(9, 12, 3), "[crop]\ncrop_width=8\ncrop_height=12\nnoadjust=1\n" CONV(5, 3, 1, PAD ACTIVATION(leaky)) END, INFERENCE },
    /* behind a convolution that needs four times the memory: stock's [local] counts numbers as bytes */
    { "local, 3x3", NET(8, 6, 3), CONV(5, 5, 1, PAD BN ACTIVATION(leaky)) "[local]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n" END, BOTH },
    { "local, 2x2, stride 2, defaults", NET(9, 6, 3), CONV(3, 3, 1, PAD ACTIVATION(leaky)) "[local]\nfilters=3\nsize=2\nstride=2\n[local]\n" END, BOTH },
    { "upsample", NET(5, 4, 3), CONV(6, 3, 1, PAD ACTIVATION(leaky)) "[upsample]\nstride=2\n" CONV(5, 3, 1, PAD ACTIVATION(leaky)) END, BOTH },
    { "upsample by 3, scale", NET(5, 4, 3), CONV(6, 3, 1, PAD ACTIVATION(leaky)) "[upsample]\nstride=3\nscale=-.7\n" END, BOTH },
    { "reorg", NET(8, 6, 3), CONV(8, 3, 1, PAD ACTIVATION(leaky)) "[reorg]\nstride=2\n" CONV(5, 3, 1, PAD ACTIVATION(leaky)) END, BOTH },
    { "reorg, reverse", NET(8, 6, 3), CONV(18, 3, 1, PAD ACTIVATION(leaky)) "[reorg]\nstride=3\nreverse=1\n" END, BOTH },
    { "reorg, flatten", NET(8, 6, 3), CONV(8, 3, 1, PAD ACTIVATION(leaky)) "[reorg]\nflatten=1\n" CONV(5, 3, 1, PAD ACTIVATION(leaky)) END, BOTH },
    { "reorg, flatten, reverse", NET(8, 6, 3), CONV(8, 3, 1, PAD ACTIVATION(leaky)) "[reorg]\nflatten=1\nreverse=1\nstride=2\n" END, BOTH },
    { "reorg, extra", NET(8, 6, 1), CONV(1, 3, 1, PAD ACTIVATION(leaky)) "[reorg]\nextra=2\n[softmax]\n", BOTH },
    { "activations that stock has", NET(8, 6, 3), CONV(5, 3, 1, PAD BN ACTIVATION(relie)) CONV(5, 3, 1, PAD BN ACTIVATION(ramp)) CONV(5, 3, 1, PAD BN ACTIVATION(tanh))
      CONV(5, 3, 1, PAD BN ACTIVATION(plse)) CONV(5, 3, 1, PAD BN ACTIVATION(elu)) CONV(5, 3, 1, PAD BN ACTIVATION(selu)) CONV(5, 3, 1, PAD BN ACTIVATION(loggy))
      CONV(5, 3, 1, PAD BN ACTIVATION(hardtan)) CONV(5, 3, 1, PAD BN ACTIVATION(lhtan)) CONV(5, 3, 1, PAD BN ACTIVATION(stair)) END, BOTH },
    { "a whole network of everything", NET(19, 17, 3), CONV(6, 5, 2, PAD BN ACTIVATION(leaky)) CONV(6, 3, 1, PAD BN ACTIVATION(linear))
      "[shortcut]\nfrom=0\nactivation=relu\n[maxpool]\nsize=3\nstride=2\n" CONV(7, 1, 1, ACTIVATION(logistic)) "[route]\nlayers=-1,-2\n"
      CONV(9, 3, 1, PAD BN ACTIVATION(relu)) "[avgpool]\n[connected]\noutput=8\nbatch_normalize=1\nactivation=leaky\n" END, BOTH },
    { "the paper's network", NET(42, 42, 3), BLOCK BLOCK BLOCK BLOCK END, BOTH },
};

/* ---- the two sides --------------------------------------------------------------------------------------------------- */

struct sides {
    struct meta_model *model;
    network *stock;
    float *parameters, *statistics;
    float *images;                  /* (batch, c, h, w) */
    float *truth;                   /* (batch, classes) */
    int *labels;
    char path[300];                 /* NAME.cfg, stock.cfg, NAME.weights beside each other */
};

static void write_text(const char *path, const char *a, const char *b, const char *c, const char *d)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s%s%s%s", a, b, c, d);
    assert_int_equal(fclose(f), 0);
}

/* Random numbers for everything, statistics included, and the same file for both. */
static void draw_weights(struct sides *s)
{
    const struct meta_network *net = s->model->network;
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 0, 0);
    struct meta_error error;
    char path[320];
    s->parameters = calloc(net->parameters, sizeof *s->parameters);
    s->statistics = calloc(net->statistics + 1, sizeof *s->statistics);
    meta_network_initialise(net, 3, s->parameters, s->statistics);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->biases == META_NONE) continue;
        for (int k = 0; k < meta_layer_rows(l); k++) {
            s->parameters[l->biases + k] = .3 * meta_rng_normal(&rng);
            if (!l->batch_normalize) continue;
            s->parameters[l->scales + k] = 1 + .3 * meta_rng_normal(&rng);
            s->statistics[l->mean + k] = .3 * meta_rng_normal(&rng);
            s->statistics[l->variance + k] = meta_rng_between(&rng, .3, 2);
        }
    }
    snprintf(path, sizeof path, "%s.weights", s->path);
    if (meta_weights_write(net, path, s->parameters, s->statistics, (struct meta_weights_head){ 0 }, &error)) fail_msg("%s", error.text);
}

static void draw_images(struct sides *s)
{
    const struct meta_network *net = s->model->network;
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 1, 0);
    int batch = s->stock->batch, classes = meta_network_outputs(net);
    size_t count = (size_t)batch * s->stock->inputs;
    s->images = malloc(count * sizeof *s->images);
    s->truth = calloc((size_t)batch * classes, sizeof *s->truth);
    s->labels = malloc(batch * sizeof *s->labels);
    for (size_t i = 0; i < count; i++) s->images[i] = meta_rng_uniform(&rng);
    for (int b = 0; b < batch; b++) {
        s->labels[b] = b % classes;
        s->truth[b * classes + s->labels[b]] = 1;
    }
}

static void open_sides(struct sides *s, const struct stock_case *c)
{
    const char *tmp = getenv("TMP_TEST");
    char path[320], episode[40];
    struct meta_error error;
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s/stock.%d", tmp ? tmp : "/tmp", (int)getpid());
    snprintf(path, sizeof path, "%s.cfg", s->path);
    write_text(path, c->net, c->layers, "", "");
    s->stock = parse_network_cfg(path);
    snprintf(episode, sizeof episode, "[episode]\nways=%d\n", s->stock->outputs);
    write_text(path, c->net, episode, c->layers, "[inner_loop]\n[meta_loss]\n");
    if (meta_model_load(&s->model, path, &error)) fail_msg("%s", error.text);
    draw_weights(s);
    snprintf(path, sizeof path, "%s.weights", s->path);
    load_weights(s->stock, path);
    draw_images(s);
}

static void close_sides(struct sides *s)
{
    const char *ends[] = { "cfg", "weights" };
    char path[320];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s.%s", s->path, ends[i]);
        unlink(path);
    }
    free(s->images);
    free(s->truth);
    free(s->labels);
    free(s->parameters);
    free(s->statistics);
    meta_model_free(s->model);
    /* what free_network leaves */
    for (int i = 0; i < s->stock->n; i++)
        if (s->stock->layers[i].type == SOFTMAX) free(s->stock->layers[i].loss);
    free(s->stock->workspace);
    free(s->stock->seen);
    free(s->stock->t);
    free(s->stock->cost);
    free_network(s->stock);
}

static void stock_forward(struct sides *s, int train)
{
    float *input = s->stock->input, *truth = s->stock->truth;
    s->stock->input = s->images;
    s->stock->truth = s->truth;
    s->stock->train = train;
    forward_network(s->stock);
    s->stock->input = input;
    s->stock->truth = truth;
}

/* ---- comparison -------------------------------------------------------------------------------------------------------- */

static void assert_close(const char *what, int index, const float *got, const float *wanted, size_t count)
{
    double most = 1, apart = 0;
    for (size_t i = 0; i < count; i++) {
        if (fabs(wanted[i]) > most) most = fabs(wanted[i]);
        if (!(fabs((double)got[i] - wanted[i]) <= apart)) apart = fabs((double)got[i] - wanted[i]);
    }
    if (!(apart <= LIMIT * most)) fail_msg("layer %d: %s apart by %g, of %g at most", index, what, apart, most);
}

/* The stock layer that the operation ends: with a pool, the one after the layer it comes from. */
static int layer_ended_by(const struct meta_program *p, const struct meta_op *op)
{
    int index = op->layer - p->network->layers;
    return index + ((op->kind == META_OP_EPILOGUE || op->kind == META_OP_STEM) && op->pool_size && op->layer->type != META_MAXPOOL);
}

static void compare_outputs(const struct sides *s, const struct meta_program *p)
{
    const struct meta_backend *backend = p->backend;
    int compared = 0;
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_op *op = &p->low.ops[i];
        if (op->kind == META_OP_CONV || op->kind == META_OP_CONNECTED) continue;     /* its epilogue ends the layer */
        if (op->kind == META_OP_LOCAL && op->layer->activation != META_LINEAR) continue;
        const layer *l = &s->stock->layers[layer_ended_by(p, op)];
        float *got = malloc((size_t)l->outputs * p->batch * sizeof *got);
        assert_int_equal(l->outputs, op->out.c * op->out.h * op->out.w);
        if (op->kind == META_OP_LOSS) meta_program_probabilities(p, got);
        else backend->tensor_out(got, op->y.value, p->batch, op->out);
        assert_close("outputs", layer_ended_by(p, op), got, l->output, (size_t)l->outputs * p->batch);
        free(got);
        compared++;
    }
    assert_true(compared > 1);
}

static void compare_statistics(const struct sides *s, const struct meta_program *p)
{
    const struct meta_network *net = p->network;
    float *got = calloc(net->statistics + 1, sizeof *got);
    meta_program_batch_statistics(p, got);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (!l->batch_normalize) continue;
        assert_close("means", i, got + l->mean, s->stock->layers[i].mean, l->filters);
        assert_close("variances", i, got + l->variance, s->stock->layers[i].variance, l->filters);
    }
    free(got);
}

static void compare_on(struct sides *s, const struct meta_backend *backend, int train)
{
    const struct meta_network *net = s->model->network;
    struct meta_program *p;
    struct meta_error error;
    /* with tangents, no value's memory is used again */
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .query = s->stock->batch, .passes = META_TANGENTS }, &error)) fail_msg("%s", error.text);
    void *phi = backend->allocate(net->parameters * backend->element);
    backend->upload(phi, s->parameters, net->parameters);
    meta_program_load(p, s->images, s->labels);
    meta_program_dropout(p, (struct meta_dropout_key){ 0 });
    double loss = meta_program_forward(p, phi, train ? META_STATISTICS_BATCH : META_STATISTICS_ROLLING, s->statistics);
    compare_outputs(s, p);
    if (train) compare_statistics(s, p);
    /* Darknet's cost is a sum over the batch */
    double stock = *s->stock->cost / s->stock->batch;
    if (!(fabs(loss - stock) <= LIMIT * (1 + stock))) fail_msg("loss %.9g, not %.9g", loss, stock);
    backend->release(phi);
    meta_program_free(p);
}

static void agrees_with_stock(void **state)
{
    const struct stock_case *c = *state;
    const struct meta_backend *backends[] = { &meta_backend_reference, &meta_backend_onednn };
    struct sides s;
    open_sides(&s, c);
    for (int train = 0; train <= 1; train++) {       /* training last: it moves the stock network's rolling statistics */
        if (!(c->statistics & (train ? TRAINING : INFERENCE))) continue;
        stock_forward(&s, train);
        for (int k = 0; k < 2; k++) compare_on(&s, backends[k], train);
    }
    close_sides(&s);
}

/* ---- the stock program ------------------------------------------------------------------------------------------------- */

#define IMAGE "tests/oracle/images/rgb_class1_02.png"

static const struct stock_case predicted = {
    "the stock program's predictions", NET(14, 14, 3), BLOCK CONV(9, 3, 2, PAD BN ACTIVATION(leaky)) "[avgpool]\n"
    "[connected]\noutput=6\nbatch_normalize=1\nactivation=leaky\n" END, INFERENCE
};

/* What `darknet classifier predict` prints: "36.75%: c2", best first. */
static void stock_predictions(const struct sides *s, double percent[3])
{
    const char *darknet = getenv("DARKNET_BIN");
    char command[2000], line[256], path[340];
    float value;
    int k, found = 0;
    snprintf(path, sizeof path, "%s.data", s->path);
    write_text(path, "classes=3\ntop=3\nnames=", s->path, ".names\n", "");
    snprintf(path, sizeof path, "%s.names", s->path);
    write_text(path, "c0\nc1\nc2\n", "", "", "");
    snprintf(command, sizeof command, "'%s' classifier predict '%s.data' '%s.cfg' '%s.weights' " IMAGE " 2>/dev/null",
             darknet ? darknet : "./darknet", s->path, s->path, s->path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, " %f%%: c%d", &value, &k) == 2 && k >= 0 && k < 3) {
            percent[k] = value;
            found++;
        }
    assert_int_equal(pclose(f), 0);
    assert_int_equal(found, 3);
}

static void predicts_the_same(void **state)
{
    struct sides s;
    struct meta_error error;
    struct meta_image picture;
    struct meta_program *p;
    double percent[3];
    float x[3 * 14 * 14], ours[3];
    char path[340];
    open_sides(&s, &predicted);
    snprintf(path, sizeof path, "%s.cfg", s.path);
    write_text(path, predicted.net, predicted.layers, "", "");
    stock_predictions(&s, percent);

    if (meta_image_read(IMAGE, &(struct meta_image_reading){ .channels = 3 }, &picture, &error)) fail_msg("%s", error.text);
    assert_true(picture.w == 14 && picture.h == 14);
    for (int i = 0; i < 3 * 14 * 14; i++) x[i] = picture.pixels[i % 196 * 3 + i / 196] / 255.;
    free(picture.pixels);
    if (meta_program_create(&p, s.model->network, &meta_backend_onednn,
                            (struct meta_program_settings){ .query = 1, .passes = META_FORWARD }, &error)) fail_msg("%s", error.text);
    void *phi = meta_backend_onednn.allocate(s.model->network->parameters * sizeof(float));
    meta_backend_onednn.upload(phi, s.parameters, s.model->network->parameters);
    meta_program_load(p, x, (int[]){ 0 });
    meta_program_forward(p, phi, META_STATISTICS_ROLLING, s.statistics);
    meta_program_probabilities(p, ours);
    for (int k = 0; k < 3; k++)
        if (!(fabs(100 * ours[k] - percent[k]) <= .0051)) fail_msg("class %d: %.4f%%, not %.2f%%", k, 100 * ours[k], percent[k]);
    assert_true(percent[0] < 99 && percent[1] < 99 && percent[2] < 99);
    meta_backend_onednn.release(phi);
    meta_program_free(p);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s.%s", s.path, i ? "data" : "names");
        unlink(path);
    }
    close_sides(&s);
}

int main(void)
{
    int count = sizeof cases / sizeof *cases;
    struct CMUnitTest tests[sizeof cases / sizeof *cases + 1];
    tests[count] = (struct CMUnitTest){ predicted.name, predicts_the_same, NULL, NULL, NULL };
    for (int i = 0; i < count; i++) tests[i] = (struct CMUnitTest){ cases[i].name, agrees_with_stock, NULL, NULL, (void *)&cases[i] };
    return _cmocka_run_group_tests("oracle_stock", tests, count + 1, NULL, NULL);
}
