#define _GNU_SOURCE
/* Networks that the host builds are those the library's own parser builds: every field, every weight drawn, every output. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include "host/host.h"

static char folder[256], file[300];
static network *(*stock_parse)(char *);

static int setup(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/host.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/x.cfg", folder);
    Dl_info info;
    void *library = dladdr((void *)load_network, &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    void *symbol = library ? dlsym(library, "parse_network_cfg") : NULL;
    memcpy(&stock_parse, &symbol, sizeof symbol);
    return symbol && symbol != (void *)parse_network_cfg ? 0 : -1;
}

static int teardown(void **state)
{
    unlink(file);
    return rmdir(folder);
}

static network *parse(network *(*parser)(char *), const char *net, const char *between, const char *layers, const char *end)
{
    unlink(file);
    FILE *f = fopen(file, "w");
    fprintf(f, "%s%s%s%s", net, between, layers, end);
    fclose(f);
    srand(7);
    return parser(file);
}

/* The library can't free a network of some of these layers, and of no network all. */
static network *kept[64];
static int kept_count;
static void keep(network *net) { kept[kept_count++] = net; }

static void release(network *net)
{
    for (int i = 0; i < net->n; i++)
        if (net->layers[i].type == SOFTMAX) free(net->layers[i].loss);
    free(net->workspace);
    free(net->seen);
    free(net->t);
    free(net->cost);
    free_network(net);
}

/* Not the pointers, of which only the null ones must agree. */
static void assert_same_layer(const layer *a, const layer *b)
{
    size_t mask = offsetof(layer, mask), total = offsetof(layer, total), pointers = offsetof(layer, cweights);
    assert_memory_equal(a, b, mask);
    assert_memory_equal((const char *)a + total, (const char *)b + total, pointers - total);
    assert_int_equal(!a->mask, !b->mask);
    for (size_t at = pointers; at < offsetof(layer, workspace_size); at += sizeof(void *))
        assert_int_equal(!*(void *const *)((const char *)a + at), !*(void *const *)((const char *)b + at));
    assert_true(a->workspace_size == b->workspace_size);
    if (a->weights && a->nweights) assert_memory_equal(a->weights, b->weights, a->nweights * sizeof *a->weights);
}

static void assert_same_network(const network *a, const network *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->batch, b->batch);
    assert_memory_equal((const char *)a + offsetof(network, policy), (const char *)b + offsetof(network, policy),
                        offsetof(network, scales) - offsetof(network, policy));
    assert_memory_equal((const char *)a + offsetof(network, num_steps), (const char *)b + offsetof(network, num_steps),
                        offsetof(network, hierarchy) - offsetof(network, num_steps));
    assert_int_equal(!a->workspace, !b->workspace);
    assert_true(a->clip == b->clip && a->train == b->train && a->index == b->index);
    for (int i = 0; i < a->n; i++) assert_same_layer(&a->layers[i], &b->layers[i]);
}

static void predict(network *net, float *out)
{
    float *x = calloc((size_t)net->inputs * net->batch, sizeof *x);
    for (int i = 0; i < net->inputs * net->batch; i++) x[i] = i * 7919 % 1000 / 1000.;
    float *y = network_predict(net, x);
    for (int i = 0; i < net->outputs * net->batch; i++) out[i] = y[i];
    free(x);
}

struct network_case { const char *net, *layers; int runs; };

/* Every section type of Darknet's, with an even number of weights: the library draws normal numbers in pairs and keeps the second.
   runs=0: its forward crashes or overflows in the library, or needs labels. */
static const struct network_case cases[] = {
    { "[net]\nwidth=12\nheight=10\nchannels=3\nbatch=2\nmax_crop=20\npolicy=steps\nsteps=1,2\nscales=.1,.1\nclip=3\n",
      "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n[maxpool]\nsize=2\nstride=2\n"
      "[dropout]\nprobability=.3\n[conv]\nfilters=4\nsize=1\nactivation=relu\nlearning_rate=.5\nstopbackward=1\n[shortcut]\nfrom=-2\n"
      "activation=linear\n[route]\nlayers=-1,1\n[upsample]\nstride=2\n[reorg]\nstride=2\n[activation]\nactivation=tanh\n"
      "[avg]\n[connected]\noutput=5\nbatch_normalize=1\n[conn]\noutput=3\nactivation=linear\n[soft]\n[cost]\ntype=sse\n", 1 },
    { "[network]\nwidth=9\nheight=9\nchannels=2\nadam=1\nangle=3\n",
      "[deconv]\nfilters=3\nsize=2\nstride=2\nactivation=relu\n"
      "[lrn]\nsize=5\n[l2norm]\n[convolutional]\nfilters=4\nsize=3\nactivation=elu\n[connected]\noutput=6\n[logistic]\n", 1 },
    { "[net]\ninputs=6\nbatch=4\ntime_steps=2\nsubdivisions=2\n",
      "[rnn]\nhidden=5\noutput=4\n[gru]\noutput=4\n[lstm]\noutput=5\n[connected]\noutput=3\nactivation=linear\n[softmax]\n", 1 },
    { "[net]\nwidth=8\nheight=8\nchannels=3\n", "[crop]\ncrop_width=6\ncrop_height=6\n[crnn]\nhidden_filters=4\noutput_filters=3\n", 0 },
    { "[net]\nwidth=32\nheight=32\nchannels=3\nmomentum=.8\n",
      "[conv]\nfilters=21\nsize=2\nstride=8\n[yolo]\nclasses=2\nnum=3\nmask=0,1,2\nanchors=1,2,3,4,5,6\n", 1 },
    { "[net]\nwidth=32\nheight=32\nchannels=3\n", "[conv]\nfilters=14\nsize=1\nstride=8\n[region]\nanchors=1,2,3,4\nclasses=2\nnum=2\n", 1 },
    { "[net]\nwidth=8\nheight=8\nchannels=1\n", "[connected]\noutput=28\n[detection]\nclasses=2\ncoords=4\nrescore=1\nside=2\nnum=1\n", 1 },
    { "[net]\nwidth=8\nheight=8\nchannels=3\n", "[conv]\nfilters=5\nsize=2\n[iseg]\nclasses=2\nids=3\n", 0 },
    { "[net]\nwidth=8\nheight=8\nchannels=4\n", "[conv]\nfilters=4\ngroups=2\n[local]\nfilters=2\nsize=3\nstride=2\npad=1\n[batchnorm]\n[avgpool]\n", 0 },
};

#define EPISODE "[episode]\r\nways=3 # classes\r\n"
#define ENDING "[inner_loop]\nsteps=3\n\n[meta_loss]\nstart=5\n"

static void as_the_library_builds(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float a[4096], b[4096];
        network *expected = parse(stock_parse, cases[i].net, "", cases[i].layers, "");
        network *net = parse(parse_network_cfg, cases[i].net, EPISODE, cases[i].layers, ENDING);
        assert_same_network(net, expected);
        assert_true(net->outputs * net->batch <= 4096);
        if (cases[i].runs) {
            predict(expected, a);
            predict(net, b);
            assert_memory_equal(a, b, net->outputs * net->batch * sizeof *a);
        }
        keep(expected);
        keep(net);
    }
}

/* The library's own callers of its parser get ours, and what they get can be saved and freed. */
static void through_load_network(void **state)
{
    const char *net = "[net]\nwidth=8\nheight=8\nchannels=3\n",
               *layers = "[conv]\nfilters=4\nsize=3\nbatch_normalize=1\n[max]\nsize=2\nstride=2\n[conn]\noutput=2\n[softmax]\n";
    float a[2], b[2];
    char weights[400];
    snprintf(weights, sizeof weights, "%s/x.weights", folder);
    release(parse(parse_network_cfg, net, EPISODE, layers, ENDING));
    network *first = load_network(file, NULL, 0);
    assert_int_equal(first->n, 4);
    predict(first, a);
    save_weights(first, weights);
    release(first);
    release(parse(stock_parse, net, "", layers, ""));
    network *stock = load_network(file, weights, 0);
    predict(stock, b);
    release(stock);
    unlink(weights);
    assert_memory_equal(a, b, sizeof a);
}

/* ---- a plugin's layer ---------------------------------------------------------------------------- */

struct settings { double power; struct meta_list add; char *note; };

static int shape(const void *settings, struct meta_shape in, struct meta_shape *out, struct meta_error *error)
{
    if (in.h < 2) return meta_fail(error, "too low");
    *out = (struct meta_shape){ in.c, in.h / 2, in.w };          /* leaves out the lower half */
    return 0;
}

static size_t source(struct meta_shape in, int batch, size_t i)
{
    size_t half = (size_t)in.h / 2 * in.w;
    return i / half * in.h * in.w + i % half;
}

static void forward(const void *settings, const struct meta_call *c)
{
    const struct settings *s = settings;
    size_t n = (size_t)c->batch * c->out.c * c->out.h * c->out.w;
    for (size_t i = 0; i < n; i++) c->y.value[i] = pow(c->x.value[source(c->in, c->batch, i)], s->power) + s->add.values[1] + s->note[0];
}

static void backward(const void *settings, const struct meta_call *c)
{
    const struct settings *s = settings;
    size_t n = (size_t)c->batch * c->out.c * c->out.h * c->out.w;
    memset(c->x.bar, 0, (size_t)c->batch * c->in.c * c->in.h * c->in.w * sizeof *c->x.bar);
    for (size_t i = 0; i < n; i++) {
        size_t from = source(c->in, c->batch, i);
        c->x.bar[from] = c->y.bar[i] * s->power * pow(c->x.value[from], s->power - 1);
    }
}

static const struct meta_option options[] = {
    { "power", META_REAL, 2, 0, 9, NULL, offsetof(struct settings, power), "" },
    { "add", META_REALS, 0, 0, 9, NULL, offsetof(struct settings, add), "" },
    { "note", META_TEXT, 0, 0, 0, NULL, offsetof(struct settings, note), "" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};
static const struct meta_layer_functions functions = { .shape = shape, .forward = forward, .backward = backward };
static const struct meta_plugin plugin = { META_PLUGIN_ABI, sizeof plugin, "half", META_ROLE_LAYER, "", sizeof(struct settings), options,
                                           NULL, &functions, NULL, NULL, NULL };

static void plugin_layer(void **state)
{
    struct meta_error error;
    struct meta_size_params at = { .batch = 2, .inputs = 24, .c = 2, .h = 4, .w = 3 };
    layer l;
    double values[2] = { 1, .25 };
    char note[] = "!";
    struct settings s = { 2, { 2, values }, note };
    float x[48], delta[48], expected[48];
    assert_int_equal(meta_host_layer(&l, &plugin, &s, at, &error), 0);
    values[1] = note[0] = 0;                                     /* what it uses is its own */
    assert_true(l.outputs == 12 && l.out_h == 2 && l.out_w == 3 && l.out_c == 2 && l.inputs == 24 && l.batch == 2);
    for (int i = 0; i < 48; i++) { x[i] = i * .125f; delta[i] = expected[i] = i; }
    network net = { .input = x, .delta = delta };
    l.forward(l, net);
    for (int i = 0; i < 24; i++) {
        float in = x[i / 6 * 12 + i % 6];
        assert_true(l.output[i] == in * in + .25f + '!');
        l.delta[i] = i + 1;
        expected[i / 6 * 12 + i % 6] += (i + 1) * 2 * in;        /* added to what is there */
    }
    l.backward(l, net);
    assert_memory_equal(delta, expected, sizeof delta);
    net.delta = NULL;                                            /* the first layer has nothing below */
    l.backward(l, net);
    free_layer(l);

    at.h = 1;
    at.inputs = 6;
    assert_int_equal(meta_host_layer(&l, &plugin, &s, at, &error), -1);
    assert_string_equal(error.text, "too low");
}

/* y = slope x, with a slope for all numbers */
static int slope_shape(const void *settings, struct meta_shape in, struct meta_shape *out, struct meta_error *error) { *out = in; return 0; }
static void slope_forward(const void *settings, const struct meta_call *c)
{
    for (int i = 0; i < c->batch * c->in.c * c->in.h * c->in.w; i++) c->y.value[i] = c->theta.value[1] * c->x.value[i];
}
static void slope_backward(const void *settings, const struct meta_call *c)
{
    for (int i = 0; i < c->batch * c->in.c * c->in.h * c->in.w; i++) {
        c->x.bar[i] = c->theta.value[1] * c->y.bar[i];
        c->theta.bar[1] += c->x.value[i] * c->y.bar[i];
    }
}
static int slope_arrays(const void *settings, struct meta_shape in, struct meta_array *arrays, struct meta_error *error)
{
    arrays[0] = (struct meta_array){ "unused", 1, .value = 2, .decays = 1 };
    arrays[1] = (struct meta_array){ "slope", 1, .value = 3 };
    return 2;
}
static const struct meta_layer_functions slope = { .shape = slope_shape, .forward = slope_forward, .backward = slope_backward, .arrays = slope_arrays };
static const struct meta_plugin slope_plugin = { .abi = META_PLUGIN_ABI, .size = sizeof slope_plugin, .name = "slope", .role = META_ROLE_LAYER,
                                                 .options = options + 3, .layer = &slope };

/* The library stores them, and trains them as it does a convolution's biases or, where they decay, its weights. */
static void plugin_parameters(void **state)
{
    struct meta_error error;
    struct meta_size_params at = { .batch = 2, .inputs = 2, .c = 2, .h = 1, .w = 1 };
    layer l;
    float x[4] = { 1, 2, 3, 4 }, delta[4] = { 0 };
    assert_int_equal(meta_host_layer(&l, &slope_plugin, NULL, at, &error), 0);
    assert_true(l.n == 2 && l.biases[0] == 2 && l.biases[1] == 3);
    network net = { .input = x, .delta = delta };
    l.forward(l, net);
    for (int i = 0; i < 4; i++) { assert_true(l.output[i] == 3 * x[i]); l.delta[i] = 1; }
    l.backward(l, net);
    for (int i = 0; i < 4; i++) assert_true(delta[i] == 3);
    l.learning_rate_scale = 1;
    l.update(l, (update_args){ .batch = 2, .learning_rate = .5, .momentum = .25, .decay = .125 });
    assert_true(l.biases[0] == 2 - .25 * .125 * 2 * 2 && l.biases[1] == 3 + .25 * 10);
    assert_true(l.bias_updates[1] == 2.5);
    l.batch = 1;                                                 /* as set_batch_network does */
    l.output[2] = 7;
    l.forward(l, net);
    assert_true(l.output[1] == 2 * l.biases[1] && l.output[2] == 7);
    free_layer(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_library_builds), cmocka_unit_test(through_load_network), cmocka_unit_test(plugin_layer), cmocka_unit_test(plugin_parameters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
