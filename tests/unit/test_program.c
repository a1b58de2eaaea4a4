/* Programs: whatever memory the passes share, they give the same numbers; and the derivatives of whole networks, in which tensors
   have several readers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "clock.h"
#include "near.h"
#include "onednn_conv.h"
#include "program_internal.h"
#include "rng.h"

#define BATCH 6

static const struct meta_backend *const backends[] = { &meta_backend_reference, &meta_backend_onednn };

static int layer(struct meta_network *net, struct meta_layer l, int from_a, int from_b)
{
    struct meta_error error;
    if (l.from_count) {
        l.from = malloc(2 * sizeof *l.from);
        l.from[0] = from_a;
        l.from[1] = from_b;
    }
    if (meta_network_add(net, l, &error)) fail_msg("%s", error.text);
    return net->count - 1;
}

/* Layer 0 is read by layer 1, a shortcut, a route, and itself pooled; dropout: its probability, 0 for no such layer. */
static struct meta_network *build(double dropout)
{
    struct meta_network *net;
    struct meta_error error;
    int where;
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 6, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                               .activation = META_LEAKY }, small = conv;
    small.filters = 19;
    small.size = 1;
    small.padding = 0;
    small.activation = META_LOGISTIC;
    if (meta_network_create(&net, (struct meta_shape){ 3, 10, 9 }, &error)) fail_msg("%s", error.text);
    layer(net, conv, 0, 0);
    layer(net, conv, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SHORTCUT, .from_count = 1, .alpha = .8, .beta = 1.2, .activation = META_LEAKY }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_ROUTE, .from_count = 2 }, 2, 0);
    if (dropout > 0) layer(net, (struct meta_layer){ .type = META_DROPOUT, .probability = dropout }, 0, 0);
    layer(net, small, 0, 0);
    layer(net, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2, .padding = 1 }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 3, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1.3 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    return net;
}

static struct meta_program *program(const struct meta_network *net, const struct meta_backend *backend, enum meta_passes passes)
{
    struct meta_program *p;
    struct meta_error error;
    if (meta_program_create(&p, net, backend, BATCH, passes, NULL, &error)) fail_msg("%s", error.text);
    assert_true(meta_program_bytes(p) > 0);
    return p;
}

static void load(struct meta_program *p, int item)
{
    struct meta_shape s = p->network->input;
    struct meta_rng rng = meta_rng_open(2, META_USE_CHECK, 0, 0, item);
    float images[BATCH * s.c * s.h * s.w];
    int labels[BATCH];
    for (int i = 0; i < BATCH * s.c * s.h * s.w; i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < BATCH; i++) labels[i] = meta_rng_below(&rng, 3);
    meta_program_load(p, images, labels);
}

/* Initial weights (item 0), or random numbers. */
static void *vector(const struct meta_network *net, const struct meta_backend *backend, int item)
{
    void *p = backend->allocate(net->parameters * backend->element);
    float *x = malloc(net->parameters * sizeof *x), *statistics = malloc((net->statistics + 1) * sizeof *statistics);
    struct meta_rng rng = meta_rng_open(2, META_USE_CHECK, 0, 1, item);
    meta_network_initialise(net, 9, x, statistics);
    for (size_t i = 0; item && i < net->parameters; i++) x[i] = meta_rng_normal(&rng);
    backend->upload(p, x, net->parameters);
    free(x);
    free(statistics);
    return p;
}

static double *doubles(const struct meta_network *net, const struct meta_backend *backend, const void *v)
{
    double *x = malloc(net->parameters * sizeof *x);
    backend->download_double(x, v, net->parameters);
    return x;
}

static void assert_same(const struct meta_network *net, const struct meta_backend *backend, const void *a, const void *b)
{
    assert_memory_equal(a, b, net->parameters * backend->element);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

static void passes_give_the_same(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(0);
    void *phi = vector(net, backend, 0), *gradients[3];
    float probabilities[3][BATCH * 3];
    double losses[3];
    for (int passes = META_FORWARD; passes <= META_TANGENTS; passes++) {
        struct meta_program *p = program(net, backend, passes);
        gradients[passes] = vector(net, backend, 5);
        load(p, 0);
        losses[passes] = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
        meta_program_probabilities(p, probabilities[passes]);
        if (passes >= META_GRADIENT) meta_program_gradient(p, phi, gradients[passes]);
        meta_program_free(p);
    }
    for (int passes = META_GRADIENT; passes <= META_TANGENTS; passes++) {
        assert_true(losses[passes] == losses[0]);
        assert_memory_equal(probabilities[passes], probabilities[0], sizeof probabilities[0]);
    }
    assert_same(net, backend, gradients[META_GRADIENT], gradients[META_TANGENTS]);
    for (int i = 0; i < 3; i++) backend->release(gradients[i]);
    backend->release(phi);
    meta_network_free(net);
}

static void a_program_keeps_nothing(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(0);
    struct meta_program *p = program(net, backend, META_TANGENTS);
    void *phi = vector(net, backend, 0), *other = vector(net, backend, 1), *v = vector(net, backend, 2);
    void *g[2] = { vector(net, backend, 3), vector(net, backend, 4) }, *h[2] = { vector(net, backend, 5), vector(net, backend, 6) };
    double loss[2];
    for (int k = 0; k < 2; k++) {
        load(p, 0);
        loss[k] = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
        meta_program_gradient(p, phi, g[k]);
        meta_program_hessian_product(p, phi, v, h[k]);
        if (k) break;
        /* other images, other parameters, another direction */
        load(p, 1);
        assert_true(meta_program_forward(p, other, META_STATISTICS_BATCH, NULL) != loss[0]);
        meta_program_gradient(p, other, g[1]);
        meta_program_hessian_product(p, other, phi, h[1]);
    }
    assert_true(loss[0] == loss[1]);
    assert_same(net, backend, g[0], g[1]);
    assert_same(net, backend, h[0], h[1]);
    /* another product at the same point, and the first again */
    meta_program_hessian_product(p, phi, other, h[1]);
    assert_memory_not_equal(h[0], h[1], net->parameters * backend->element);
    meta_program_hessian_product(p, phi, v, h[1]);
    assert_same(net, backend, h[0], h[1]);
    for (int k = 0; k < 2; k++) {
        backend->release(g[k]);
        backend->release(h[k]);
    }
    backend->release(phi);
    backend->release(other);
    backend->release(v);
    meta_program_free(p);
    meta_network_free(net);
}

/* Beside shared memory: of a first block in one operation, nothing; of another, the convolution's output and the adjoint of the
   pooled one. */
static void a_step_keeps_little(void **state)
{
    const struct meta_backend *backend = &meta_backend_onednn;
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                               .activation = META_RELU }, pool = { .type = META_MAXPOOL, .size = 2, .stride = 2 };
    struct meta_network *net;
    struct meta_program *p;
    struct meta_error error;
    size_t convolved = BATCH * 16 * 32 * 32 * sizeof(float);
    int where;
    if (meta_network_create(&net, (struct meta_shape){ 3, 64, 64 }, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < 4; i++) layer(net, i % 2 ? pool : conv, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 3, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    for (int passes = META_FORWARD; passes <= META_TANGENTS; passes++) {
        void *shared = backend->allocate(meta_program_shared_bytes(net, backend, 0, BATCH, passes));
        if (meta_program_create(&p, net, backend, BATCH, passes, shared, &error)) fail_msg("%s", error.text);
        if (passes < META_TANGENTS) assert_int_equal(meta_program_bytes(p), 0);
        else assert_in_range(meta_program_bytes(p), convolved * 1.25, convolved * 1.3);
        meta_program_free(p);
        backend->release(shared);
    }
    meta_network_free(net);
}

/* ---- time ------------------------------------------------------------------------------------------------------------------ */

static void each_operation_is_timed(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(.3);
    struct meta_program *p = program(net, backend, META_TANGENTS);
    void *phi = vector(net, backend, 0), *v = vector(net, backend, 1), *out = vector(net, backend, 2);
    int count = meta_program_operations(p);
    double seconds[count * META_PASS_COUNT], before[count * META_PASS_COUNT], sum = 0;
    memset(seconds, 0, sizeof seconds);
    load(p, 0);
    meta_program_dropout(p, (struct meta_dropout_key){ 1, 0, 0, 0, 1 });
    double begun = meta_now();
    meta_program_time(p, seconds);
    meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    for (int i = 0; i < count; i++)
        for (int pass = 0; pass < META_PASS_COUNT; pass++) assert_true((seconds[i * META_PASS_COUNT + pass] > 0) == (pass == META_PASS_FORWARD));
    meta_program_gradient(p, phi, out);
    meta_program_hessian_product(p, phi, v, out);
    double whole = meta_now() - begun;
    for (int i = 0; i < count * META_PASS_COUNT; i++) {
        assert_true(seconds[i] > 0);
        sum += seconds[i];
    }
    assert_true(sum <= whole + 1e-3);           /* another clock */
    /* added to, until it is switched off */
    memcpy(before, seconds, sizeof seconds);
    meta_program_gradient(p, phi, out);
    for (int i = 0; i < count; i++) {
        assert_true(seconds[i * META_PASS_COUNT + META_PASS_BACKWARD] > before[i * META_PASS_COUNT + META_PASS_BACKWARD]);
        assert_true(seconds[i * META_PASS_COUNT] == before[i * META_PASS_COUNT]);
    }
    meta_program_time(p, NULL);
    memcpy(before, seconds, sizeof seconds);
    meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    assert_memory_equal(seconds, before, sizeof seconds);
    backend->release(phi);
    backend->release(v);
    backend->release(out);
    meta_program_free(p);
    meta_network_free(net);
}

/* ---- derivatives ------------------------------------------------------------------------------------------------------------ */

static void assert_holds(void *count, const struct meta_identity *i)
{
    ++*(int *)count;
    if (!(i->error <= i->limit)) fail_msg("%s: apart by %.1e", i->text, i->error);
}

static void derivatives_are_exact(void **state)
{
    for (int k = 0; k < 2; k++) {
        struct meta_network *net = build(k ? .3 : 0);
        struct meta_model model = { .network = net };
        struct meta_error error;
        int count = 0;
        struct meta_check check = { &model, 4, assert_holds, &count };
        if (meta_check_network(&check, &error)) fail_msg("%s", error.text);
        assert_int_equal(count, 3);
        if (meta_check_backend(&check, &meta_backend_onednn, &error)) fail_msg("%s", error.text);
        assert_int_equal(count, 8);
        meta_network_free(net);
    }
}

/* Maps so large that five images go through a convolution as three and two, whether oneDNN's backward-data turns it round or another
   convolution does. */
static void a_batch_goes_in_pieces(void **state)
{
    struct meta_network *net;
    struct meta_error error;
    int where, count = 0, cut = 0;
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                               .activation = META_LINEAR }, halving = conv;
    halving.stride = 2;
    if (meta_network_create(&net, (struct meta_shape){ 3, 68, 69 }, &error)) fail_msg("%s", error.text);
    layer(net, conv, 0, 0);
    layer(net, conv, 0, 0);
    layer(net, halving, 0, 0);
    layer(net, (struct meta_layer){ .type = META_AVGPOOL }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 5, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 5, &where, &error)) fail_msg("layer %d: %s", where, error.text);

    struct meta_model model = { .network = net };
    struct meta_check check = { &model, 4, assert_holds, &count };
    struct meta_program *p;
    assert_int_equal(meta_check_batch(&check), 5);
    if (meta_program_create(&p, net, &meta_backend_onednn, 5, META_TANGENTS, NULL, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_conv *c = p->low.ops[i].state;
        cut += p->low.ops[i].kind == META_OP_CONV && c->parts == 2 && c->part[0].images == 3 && c->part[1].images == 2;
    }
    assert_int_equal(cut, 3);
    meta_program_free(p);
    if (meta_check_backend(&check, &meta_backend_onednn, &error)) fail_msg("%s", error.text);
    assert_int_equal(count, 5);
    meta_network_free(net);
}

static void a_product_is_linear(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(0);
    struct meta_program *p = program(net, backend, META_TANGENTS);
    void *phi = vector(net, backend, 0), *u = vector(net, backend, 1), *v = vector(net, backend, 2), *h = vector(net, backend, 3);
    size_t n = net->parameters;
    load(p, 0);
    meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, phi, h);
    meta_program_hessian_product(p, phi, u, h);
    double *hu = doubles(net, backend, h);
    meta_program_hessian_product(p, phi, v, h);
    double *hv = doubles(net, backend, h);
    backend->axpy(u, n, -2.5, v);
    meta_program_hessian_product(p, phi, u, h);
    double *both = doubles(net, backend, h);
    for (size_t i = 0; i < n; i++) hu[i] -= 2.5 * hv[i];
    assert_near(meta_check_distance(both, hu, n), 0, backend->element == 8 ? 1e-13 : 1e-5);
    backend->set(u, n, 0);
    meta_program_hessian_product(p, phi, u, h);
    assert_near(backend->dot(h, h, n), 0, 0);
    free(hu);
    free(hv);
    free(both);
    backend->release(phi);
    backend->release(u);
    backend->release(v);
    backend->release(h);
    meta_program_free(p);
    meta_network_free(net);
}

/* ---- statistics and dropout ---------------------------------------------------------------------------------------------------- */

static void rolling_statistics_replace_the_batch(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(0);
    struct meta_program *p = program(net, backend, META_FORWARD);
    void *phi = vector(net, backend, 0);
    float statistics[net->statistics];
    load(p, 0);
    double batch = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    meta_program_batch_statistics(p, statistics);
    assert_near(meta_program_forward(p, phi, META_STATISTICS_ROLLING, statistics), batch, 1e-6);
    for (size_t i = 0; i < net->statistics; i++) statistics[i] *= 1.5;
    double other = meta_program_forward(p, phi, META_STATISTICS_ROLLING, statistics);
    assert_true(fabs(other - batch) > 1e-4);
    /* an image's output no longer depends on the others */
    float before[BATCH * 3], after[BATCH * 3], images[BATCH * 3 * 10 * 9] = { 0 };
    int labels[BATCH] = { 0 };
    for (int i = 0; i < 3 * 10 * 9; i++) images[i] = i % 7 / 7.;
    meta_program_load(p, images, labels);
    meta_program_forward(p, phi, META_STATISTICS_ROLLING, statistics);
    meta_program_probabilities(p, before);
    for (int i = 3 * 10 * 9; i < BATCH * 3 * 10 * 9; i++) images[i] = i % 5 / 5.;
    meta_program_load(p, images, labels);
    meta_program_forward(p, phi, META_STATISTICS_ROLLING, statistics);
    meta_program_probabilities(p, after);
    for (int k = 0; k < 3; k++) assert_near(before[k], after[k], 1e-6);
    assert_true(fabs(before[3] - after[3]) > 1e-5);
    backend->release(phi);
    meta_program_free(p);
    meta_network_free(net);
}

static double loss_with(struct meta_program *p, const void *phi, struct meta_dropout_key key)
{
    meta_program_dropout(p, key);
    return meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
}

static void dropout_follows_its_key(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *with = build(.3), *without = build(0);
    struct meta_program *p = program(with, backend, META_GRADIENT), *plain = program(without, backend, META_GRADIENT);
    void *phi = vector(with, backend, 0), *same = vector(without, backend, 0);
    struct meta_dropout_key key = { 1, 2, 3, 4, 1 }, keys[] = { { 9, 2, 3, 4, 1 }, { 1, 9, 3, 4, 1 }, { 1, 2, 9, 4, 1 }, { 1, 2, 3, 9, 1 } };
    backend->copy(same, phi, with->parameters);
    load(p, 0);
    load(plain, 0);
    double loss = loss_with(p, phi, key);
    for (int i = 0; i < 4; i++) assert_true(loss_with(p, phi, keys[i]) != loss);
    assert_true(loss_with(p, phi, key) == loss);
    key.train = 0;
    assert_true(loss_with(p, phi, key) == loss_with(plain, same, key));

    /* a third is dropped, the rest made larger by as much */
    key.train = 1;
    meta_program_dropout(p, key);
    int at = 0, dropped = 0;
    while (p->low.ops[at].kind != META_OP_DROPOUT) at++;
    int count = BATCH * p->low.ops[at].out.c * p->low.ops[at].out.h * p->low.ops[at].out.w;
    for (int i = 0; i < count; i++) {
        if (p->masks[at][i] == 0) dropped++;
        else assert_near(p->masks[at][i], 1 / .7, 1e-6);
    }
    assert_near((double)dropped / count, .3, 4 * sqrt(.21 / count));
    backend->release(phi);
    backend->release(same);
    meta_program_free(p);
    meta_program_free(plain);
    meta_network_free(with);
    meta_network_free(without);
}

/* Behind a first block that one backend has in fewer operations. */
static void dropout_is_alike_on_all_backends(void **state)
{
    struct meta_network *net;
    struct meta_error error;
    const float *masks[2];
    struct meta_program *p[2];
    int where, operations[2];
    if (meta_network_create(&net, (struct meta_shape){ 3, 8, 8 }, &error)) fail_msg("%s", error.text);
    layer(net, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 8, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                                    .activation = META_RELU }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_DROPOUT, .probability = .5 }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 3, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    for (int k = 0; k < 2; k++) {
        p[k] = program(net, backends[k], META_TANGENTS);
        operations[k] = meta_program_operations(p[k]);
        meta_program_dropout(p[k], (struct meta_dropout_key){ 5, 3, 2, 1, 1 });
        int at = 0;
        while (p[k]->low.ops[at].kind != META_OP_DROPOUT) at++;
        masks[k] = p[k]->masks[at];
    }
    assert_true(operations[0] > operations[1]);
    assert_memory_equal(masks[0], masks[1], BATCH * 8 * 4 * 4 * sizeof **masks);
    meta_program_free(p[0]);
    meta_program_free(p[1]);
    meta_network_free(net);
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction run; } cases[] = {
        { "passes give the same", passes_give_the_same }, { "a program keeps nothing", a_program_keeps_nothing },
        { "a product is linear", a_product_is_linear }, { "rolling statistics replace the batch's", rolling_statistics_replace_the_batch },
        { "dropout follows its key", dropout_follows_its_key }, { "each operation is timed", each_operation_is_timed },
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[2 * COUNT + 4];
    static char names[2 * COUNT][80];
    struct meta_error error;
    for (int i = 0; i < 2 * COUNT; i++) {
        const struct meta_backend *backend = backends[i / COUNT];
        if (backend->open(&error)) return 1;
        snprintf(names[i], sizeof names[i], "%s on %s", cases[i % COUNT].name, backend->name);
        tests[i] = (struct CMUnitTest){ names[i], cases[i % COUNT].run, NULL, NULL, (void *)backend };
    }
    tests[2 * COUNT] = (struct CMUnitTest){ "derivatives are exact", derivatives_are_exact, NULL, NULL, NULL };
    tests[2 * COUNT + 1] = (struct CMUnitTest){ "dropout is alike on all backends", dropout_is_alike_on_all_backends, NULL, NULL, NULL };
    tests[2 * COUNT + 2] = (struct CMUnitTest){ "a batch goes in pieces", a_batch_goes_in_pieces, NULL, NULL, NULL };
    tests[2 * COUNT + 3] = (struct CMUnitTest){ "a step keeps little", a_step_keeps_little, NULL, NULL, NULL };
    return _cmocka_run_group_tests("program", tests, 2 * COUNT + 4, NULL, NULL);
}
