/* The optimisers against the stock library (SGD), PyTorch (Adam), and their formulas in double. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "learning/optimiser.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include <darknet.h>

/* exported by the library, not declared in its header */
void update_convolutional_layer(layer l, update_args a);

static struct meta_network *net;           /* conv 3x3x2 -> 4 with BN, connected -> 2, softmax */
static const struct meta_net_settings base = { .momentum = .9, .B1 = .9, .B2 = .999, .eps = 1e-7 };

static void add(struct meta_layer l)
{
    struct meta_error e;
    if (meta_network_add(net, l, &e)) fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct meta_error e;
    if (meta_network_create(&net, (struct meta_shape){ 2, 5, 5 }, &e)) return -1;
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 4, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                             .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 2, .batch_normalize = 1, .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return 0;
}

static int tear_down(void **state) { meta_network_free(net); return 0; }

static struct meta_optimiser *make(const struct meta_backend *b, const struct meta_net_settings *s)
{
    struct meta_error e;
    struct meta_optimiser *o;
    if (b->open(&e) || meta_optimiser_create(&o, net, b, s, &e)) fail_msg("%s", e.text);
    return o;
}

static void fill(float *x, size_t n, uint64_t seed)
{
    struct meta_rng rng = meta_rng_open(seed, META_USE_CHECK, 1, 2, 3);
    for (size_t i = 0; i < n; i++) x[i] = meta_rng_normal(&rng);
}

/* The convolutional layer's part of phi, updated by update_convolutional_layer with a changing rate. */
static void test_sgd_is_stock(void **state)
{
    const struct meta_backend *b = &meta_backend_onednn;
    const struct meta_layer *conv = &net->layers[0];
    struct meta_net_settings s = base;
    size_t n = net->parameters;
    float p[n], g[n], biases[4], scales[4], bias_updates[4] = {0}, scale_updates[4] = {0}, *weights, *updates;
    s.decay = .05;
    struct meta_optimiser *o = make(b, &s);
    void *vp = b->allocate(n * b->element), *vg = b->allocate(n * b->element);
    fill(p, n, 1);
    b->upload(vp, p, n);
    weights = malloc(conv->weight_count * sizeof *weights);
    updates = calloc(conv->weight_count, sizeof *updates);
    memcpy(weights, p + conv->weights, conv->weight_count * sizeof *weights);
    memcpy(biases, p + conv->biases, sizeof biases);
    memcpy(scales, p + conv->scales, sizeof scales);
    layer l = { .n = 4, .nweights = conv->weight_count, .weights = weights, .weight_updates = updates, .biases = biases,
                .bias_updates = bias_updates, .scales = scales, .scale_updates = scale_updates, .learning_rate_scale = 1 };
    for (int t = 0; t < 20; t++) {
        double rate = .02 / (1 + t % 5);
        int batch = 3;
        fill(g, n, 10 + t);
        b->upload(vg, g, n);
        assert_true(meta_optimiser_step(o, vp, vg, rate) > 0);
        /* its updates point downhill and are sums over a batch */
        for (size_t i = 0; i < conv->weight_count; i++) updates[i] -= batch * g[conv->weights + i];
        for (int i = 0; i < 4; i++) {
            bias_updates[i] -= batch * g[conv->biases + i];
            scale_updates[i] -= batch * g[conv->scales + i];
        }
        update_convolutional_layer(l, (update_args){ .batch = batch, .learning_rate = rate, .momentum = s.momentum, .decay = s.decay });
    }
    b->download(p, vp, n);
    for (size_t i = 0; i < conv->weight_count; i++) assert_near(p[conv->weights + i], weights[i], 2e-6);
    for (int i = 0; i < 4; i++) {
        assert_near(p[conv->biases + i], biases[i], 2e-6);
        assert_near(p[conv->scales + i], scales[i], 2e-6);
    }
    free(weights);
    free(updates);
    b->release(vp);
    b->release(vg);
    meta_optimiser_free(o);
}

/* The connected layer stores its scales after its weights: they must not decay either. */
static void test_decay_of_weights_alone(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    const struct meta_layer *full = &net->layers[1];
    struct meta_net_settings s = base;
    size_t n = net->parameters;
    double p[n];
    s.decay = .5;
    struct meta_optimiser *o = make(b, &s);
    void *vp = b->allocate(n * b->element), *vg = b->allocate(n * b->element);
    b->set(vp, n, 1);
    meta_optimiser_step(o, vp, vg, .1);
    b->download_double(p, vp, n);
    for (int i = 0; i < 2; i++) {
        assert_near(p[full->biases + i], 1, 0);
        assert_near(p[full->scales + i], 1, 0);
    }
    for (size_t i = 0; i < full->weight_count; i++) assert_near(p[full->weights + i], .95, 1e-12);
    b->release(vp);
    b->release(vg);
    meta_optimiser_free(o);
}

/* torch.optim.Adam([p], lr=.01, betas=(.8, .95), eps=1e-4, weight_decay=.1) in float64; gradients (t+1)*(.5, -2, 1e-3) for
   t = 0..4 from p = (1, -1, .25); torch 1.13.1 */
static void test_adam_is_pytorch(void **state)
{
    static const double torch[] = { 0.95018759236678707, -0.95036409665604593, 0.2001905151064397 };
    const struct meta_backend *b = &meta_backend_reference;
    struct meta_net_settings s = base;
    size_t n = net->parameters;
    double p[n], g[n];
    s.adam = 1;
    s.B1 = .8;
    s.B2 = .95;
    s.eps = 1e-4;
    s.decay = .1;
    struct meta_optimiser *o = make(b, &s);
    void *vp = b->allocate(n * b->element), *vg = b->allocate(n * b->element);
    memset(p, 0, sizeof p);
    p[0] = 1;
    p[1] = -1;
    p[n - 1] = .25;
    b->upload_double(vp, p, n);
    for (int t = 0; t < 5; t++) {
        memset(g, 0, sizeof g);
        g[0] = (t + 1) * .5;
        g[1] = (t + 1) * -2.;
        g[n - 1] = (t + 1) * 1e-3;
        b->upload_double(vg, g, n);
        meta_optimiser_step(o, vp, vg, .01);
    }
    b->download_double(p, vp, n);
    assert_near(p[0], torch[0], 1e-13);
    assert_near(p[1], torch[1], 1e-13);
    assert_near(p[n - 1], torch[2], 1e-13);
    b->release(vp);
    b->release(vg);
    meta_optimiser_free(o);
}

/* The float backend against the double one, over many steps. */
static void test_backends_agree(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_reference, &meta_backend_onednn };
    size_t n = net->parameters;
    float result[2][n], g[n];
    for (int adam = 0; adam < 2; adam++) {
        for (int k = 0; k < 2; k++) {
            const struct meta_backend *b = both[k];
            struct meta_net_settings s = base;
            s.adam = adam;
            s.decay = .01;
            struct meta_optimiser *o = make(b, &s);
            void *vp = b->allocate(n * b->element), *vg = b->allocate(n * b->element);
            fill(g, n, 5);
            b->upload(vp, g, n);
            for (int t = 0; t < 50; t++) {
                fill(g, n, 100 + t);
                b->upload(vg, g, n);
                meta_optimiser_step(o, vp, vg, .001);
            }
            b->download(result[k], vp, n);
            b->release(vp);
            b->release(vg);
            meta_optimiser_free(o);
        }
        for (size_t i = 0; i < n; i++) assert_near(result[0][i], result[1][i], 2e-5);
    }
}

static void test_clip(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    struct meta_net_settings s = base;
    size_t n = net->parameters;
    double p[n], norm = 3 * sqrt(n);
    s.clip = 1;
    struct meta_optimiser *o = make(b, &s);
    void *vp = b->allocate(n * b->element), *vg = b->allocate(n * b->element);
    b->set(vg, n, -3);
    assert_near(meta_optimiser_step(o, vp, vg, 1), norm, 1e-9);
    b->download_double(p, vp, n);
    assert_near(p[0], 3 / norm, 1e-12);       /* a step of length 1 */
    b->set(vp, n, 0);
    b->set(vg, n, .5 / sqrt(n));
    meta_optimiser_free(o);
    o = make(b, &s);
    meta_optimiser_step(o, vp, vg, 1);
    b->download_double(p, vp, n);
    assert_near(p[0], -.5 / sqrt(n), 1e-12);  /* shorter than clip: as it is */
    b->set(vg, n, NAN);
    assert_true(isnan(meta_optimiser_step(o, vp, vg, 1)));
    b->download_double(p, vp, n);
    assert_near(p[0], -.5 / sqrt(n), 1e-12);
    b->release(vp);
    b->release(vg);
    meta_optimiser_free(o);
}

/* Saved after some steps and loaded into a new one, the next steps are bit for bit those of the first. */
static void test_state(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_reference, &meta_backend_onednn };
    size_t n = net->parameters;
    for (int k = 0; k < 4; k++) {
        const struct meta_backend *b = both[k % 2];
        struct meta_net_settings s = base;
        float g[n];
        s.adam = k / 2;
        s.decay = .01;
        struct meta_optimiser *o[2] = { make(b, &s), make(b, &s) };
        void *vp[2] = { b->allocate(n * b->element), b->allocate(n * b->element) }, *vg = b->allocate(n * b->element);
        void *state_bytes = malloc(meta_optimiser_bytes(o[0])), *parameters = malloc(n * b->element);
        for (int t = 0; t < 20; t++) {
            fill(g, n, t);
            for (int i = 0; i < 1 + (t >= 10); i++) {
                b->upload(vg, g, n);
                meta_optimiser_step(o[i], vp[i], vg, .01);
            }
            if (t != 9) continue;
            meta_optimiser_save(o[0], state_bytes);
            meta_optimiser_load(o[1], state_bytes);
            meta_vector_save(b, vp[0], n, parameters);
            meta_vector_load(b, vp[1], n, parameters);
        }
        void *other = malloc(n * b->element);
        meta_vector_save(b, vp[0], n, parameters);
        meta_vector_save(b, vp[1], n, other);
        assert_memory_equal(parameters, other, n * b->element);
        for (int i = 0; i < 2; i++) { b->release(vp[i]); meta_optimiser_free(o[i]); }
        b->release(vg);
        free(state_bytes);
        free(parameters);
        free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sgd_is_stock), cmocka_unit_test(test_decay_of_weights_alone),
                                        cmocka_unit_test(test_adam_is_pytorch), cmocka_unit_test(test_backends_agree),
                                        cmocka_unit_test(test_clip), cmocka_unit_test(test_state) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
