/* Programs: Hessian products are linear, rolling statistics stand in for the batch's, and dropout is a function of its key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "tools/check/check.h"
#include "near.h"
#include "small_network.h"

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

/* ---- a body ---------------------------------------------------------------------------------------------------------------------- */

static struct meta_program *with_body(const struct meta_network *net, const struct meta_backend *backend, int body)
{
    struct meta_program *p;
    struct meta_error error;
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .query = BATCH, .passes = META_TANGENTS, .body = body }, &error)) fail_msg("%s", error.text);
    return p;
}

static size_t first_behind(const struct meta_network *net, int body)
{
    const struct meta_layer *l = net->layers + body;
    while (l->weights == META_NONE) l++;
    return meta_layer_first(l);
}

static double apart(const struct meta_backend *backend, const void *a, const void *b, size_t from, size_t to)
{
    double *x = calloc(2 * (to - from) + 1, sizeof *x), *y = x + (to - from);
    backend->download_double(x, (const char *)a + from * backend->element, to - from);
    backend->download_double(y, (const char *)b + from * backend->element, to - from);
    double distance = meta_check_distance(x, y, to - from);
    free(x);
    return distance;
}

/* Wherever the body ends, a gradient and products of the parameters behind it, and the body's part of two products together, are what the whole
   network has. The network hands one tensor or several on, of which operations of the body read some, too. */
static void a_body_is_differentiated_once(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_network *net = build(0);
    size_t n = net->parameters;
    double limit = backend->element == 8 ? 1e-12 : 2e-5;
    void *phi[2], *v[2], *got = vector(net, backend, 0), *whole = vector(net, backend, 0), *sum = vector(net, backend, 0);
    struct meta_program *all = program(net, backend, META_TANGENTS);
    load(all, 0);
    for (int body = 1; body <= 6; body++) {
        struct meta_program *p = with_body(net, backend, body);
        size_t first = first_behind(net, body);
        load(p, 0);
        for (int round = 0; round < 2; round++) { /* the sums begin anew */
            backend->set(sum, n, 0);
            for (int s = 0; s < 2; s++) {
                phi[s] = vector(net, backend, 0);
                v[s] = vector(net, backend, 2 + 2 * round + s);
                backend->set(v[s], first, 0);
                char *behind = (char *)phi[s] + first * backend->element;
                backend->axpy(behind, n - first, -.1 * s, (char *)v[s] + first * backend->element);
                double loss = s ? meta_program_forward_again(p, phi[s]) : meta_program_forward(p, phi[s], META_STATISTICS_BATCH, NULL);
                assert_near(loss, meta_program_forward(all, phi[s], META_STATISTICS_BATCH, NULL), 0);
                meta_program_gradient(p, phi[s], got);
                meta_program_gradient(all, phi[s], whole);
                assert_near(apart(backend, got, whole, first, n), 0, limit);
                meta_program_hessian_product(p, phi[s], v[s], got);
                meta_program_hessian_product(all, phi[s], v[s], whole);
                assert_near(apart(backend, got, whole, first, n), 0, limit);
                backend->axpy(sum, n, 1, whole);
                backend->release(v[s]);
            }
            meta_program_body_gradient(p, phi[0], got);
            assert_true(backend->dot(sum, sum, first) > 0);
            assert_near(apart(backend, got, sum, 0, first), 0, limit);
            for (int s = 0; s < 2; s++) backend->release(phi[s]);
        }
        meta_program_free(p);
    }
    backend->release(got);
    backend->release(whole);
    backend->release(sum);
    meta_program_free(all);
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
    static const struct small_case cases[] = {
        { "a product is linear", a_product_is_linear }, { "rolling statistics replace the batch's", rolling_statistics_replace_the_batch },
        { "dropout follows its key", dropout_follows_its_key }, { "a body is differentiated once", a_body_is_differentiated_once },
    }, others[] = { { "dropout is alike on all backends", dropout_is_alike_on_all_backends } };
    return run_small_cases("program modes", cases, sizeof cases / sizeof *cases, others, sizeof others / sizeof *others);
}
