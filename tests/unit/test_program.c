/* Programs: whatever memory the passes share, they give the same numbers; and the derivatives of whole networks, in which tensors
   have several readers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "tools/check/check.h"
#include "base/clock.h"
#include "near.h"
#include "backends/onednn/onednn_conv.h"
#include "small_network.h"

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
        void *shared = backend->allocate(meta_program_shared_bytes(net, backend, (struct meta_program_settings){ .query = BATCH, .passes = passes }));
        if (meta_program_create(&p, net, backend,
                                (struct meta_program_settings){ .query = BATCH, .passes = passes, .shared = shared }, &error)) fail_msg("%s", error.text);
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
    if (meta_program_create(&p, net, &meta_backend_onednn_alone,
                            (struct meta_program_settings){ .query = 5, .passes = META_TANGENTS }, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_conv *c = p->low.ops[i].state;
        cut += p->low.ops[i].kind == META_OP_CONV && c->parts == 2 && c->part[0].images == 3 && c->part[1].images == 2;
    }
    assert_int_equal(cut, 3);
    meta_program_free(p);
    if (meta_check_backend(&check, &meta_backend_onednn_alone, &error)) fail_msg("%s", error.text);
    assert_int_equal(count, 5);
    meta_network_free(net);
}

int main(void)
{
    static const struct small_case cases[] = {
        { "passes give the same", passes_give_the_same }, { "a program keeps nothing", a_program_keeps_nothing },
        { "each operation is timed", each_operation_is_timed },
    }, others[] = {
        { "derivatives are exact", derivatives_are_exact }, { "a batch goes in pieces", a_batch_goes_in_pieces },
        { "a step keeps little", a_step_keeps_little },
    };
    return run_small_cases("program", cases, sizeof cases / sizeof *cases, others, sizeof others / sizeof *others);
}
