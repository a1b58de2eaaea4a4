/* What a site does to its vector before it is sent: the norm that it is clipped to, and noise that no seed repeats. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "backends/backends.h"
#include "learning/sites.h"

#define N 40000

static struct meta_error error;
static struct meta_transport *alone;
static double out[N];

/* The mean of one site alone is what it would send: of a vector of N numbers `each`. */
static void sent(const char *backend, struct meta_federation f, double each)
{
    const struct meta_backend *b = meta_backend_find(backend);
    struct meta_sites *sites;
    const struct meta_sites_parts parts = { b, alone, f, N, 4 };
    if (b->open(&error) || meta_sites_create(&sites, &parts, &error)) fail_msg("%s", error.text);
    void *v = b->allocate(N * b->element);
    b->set(v, N, each);
    int status = meta_sites_mean(sites, v, &error);
    b->download_double(out, v, N);
    b->release(v);
    meta_sites_free(sites);
    if (isfinite(each)) assert_int_equal(status, 0);
    else assert_int_equal(status, -1);
}

static double norm(void)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += out[i] * out[i];
    return sqrt(sum);
}

static void a_long_vector_is_scaled_down_and_a_short_one_is_not(void **state)
{
    for (int k = 0; k < 2; k++) {
        const char *backend = k ? "onednn" : "reference";
        sent(backend, (struct meta_federation){ META_FEDERATED_GRADIENTS, 1, 0, 2, 0 }, 1);
        assert_true(fabs(norm() - 2) < 1e-5);
        sent(backend, (struct meta_federation){ META_FEDERATED_GRADIENTS, 1, 0, 300, 0 }, 1);
        assert_true(out[0] == 1 && out[N - 1] == 1);
        sent(backend, (struct meta_federation){ META_FEDERATED_AVERAGE, 1, 1, 0, 0 }, 1);
        assert_true(out[0] == 1);
    }
    sent("reference", (struct meta_federation){ META_FEDERATED_GRADIENTS, 1, 0, 2, 1 }, NAN);
    assert_non_null(strstr(error.text, "what this site would send is not finite"));
}

/* Each number has noise of its own of variance (S C)^2 around what is left of it. */
static void noise_is_as_large_as_it_says_and_never_the_same(void **state)
{
    static double first[N];
    double mean = 0, square = 0, fourth = 0, product = 0;
    const struct meta_federation f = { META_FEDERATED_AVERAGE, 1, 0, .5, 3 };
    sent("reference", f, 7);
    memcpy(first, out, sizeof out);
    sent("reference", f, 7);
    for (int i = 0; i < N; i++) {
        double x = (out[i] - .5 / sqrt(N)) / 1.5, y = (first[i] - .5 / sqrt(N)) / 1.5;
        mean += x / N;
        square += x * x / N;
        fourth += x * x * x * x / N;
        product += x * y / N;
    }
    /* six standard errors: a chance of two in a thousand million */
    assert_true(fabs(mean) < 6 / sqrt(N));
    assert_true(fabs(square - 1) < 6 * sqrt(2. / N));
    assert_true(fabs(fourth - 3) < 6 * sqrt(96. / N));
    assert_true(fabs(product) < 6 / sqrt(N));
}

static int open_alone(void **state) { return meta_transport_alone(&alone, &error); }
static int close_alone(void **state)
{
    meta_transport_close(alone, &error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_vector_is_scaled_down_and_a_short_one_is_not),
        cmocka_unit_test(noise_is_as_large_as_it_says_and_never_the_same),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
