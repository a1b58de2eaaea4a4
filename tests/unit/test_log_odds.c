/* Log-odds against their definition in long double, and the AUC of networks whose outputs are scaled until float and double
   probabilities round to 1: the ranking of the images stays, so that the AUC must stay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <math.h>
#include <stdlib.h>
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include "base/rng.h"
#include "engine/log_odds.h"
#include "engine/program.h"
#include "stats/auc.h"

static long double expected(const double *logits, int n, int class)
{
    long double most = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++) if (k != class && logits[k] > most) most = logits[k];
    for (int k = 0; k < n; k++) if (k != class) sum += expl(logits[k] - most);
    return logits[class] - most - logl(sum);
}

static void test_definition(void **state)
{
    struct meta_rng rng = meta_rng_open(4, META_USE_CHECK, 0, 0, 0);
    for (int trial = 0; trial < 3000; trial++) {
        int n = 2 + meta_rng_below(&rng, 9);
        double logits[10], got[10], scale = pow(10, meta_rng_below(&rng, 7) - 2.), total = 0;
        for (int k = 0; k < n; k++) logits[k] = scale * meta_rng_normal(&rng);
        meta_log_odds(logits, n, got);
        for (int k = 0; k < n; k++) {
            long double own = expected(logits, n, k);
            assert_near(got[k], own, 4e-16 * (fabsl(own) + fabs(logits[k])) + 4e-16);
            total += meta_log_odds_probability(got[k]);
            assert_near(meta_log_odds_probability(got[k]), 1 / (1 + expl(-own)), 1e-12);
            assert_near(meta_log_odds_loss(got[k]), own < 0 ? log1pl(expl(own)) - own : log1pl(expl(-own)), 1e-12 * (1 + fabsl(own)));
        }
        assert_near(total, 1, 1e-12);
        if (n == 2) assert_true(got[1] == logits[1] - logits[0] && got[0] == -got[1]);
    }
}

static void test_edges(void **state)
{
    double far[] = { -1e300, 5, 1e300 }, equal[] = { 2, 7.25, 7.25, -3 }, nan[] = { 0, NAN, 1 }, inf[] = { 0, INFINITY },
           absent[] = { -INFINITY, 3, 4 }, got[4];
    meta_log_odds(far, 3, got);
    assert_true(got[0] == -2e300 && got[1] == 5 - 1e300 && got[2] == 1e300 - 5);
    meta_log_odds(equal, 4, got);
    assert_true(got[1] == got[2] && got[0] < got[1] && got[3] < got[0]);
    meta_log_odds(nan, 3, got);
    for (int k = 0; k < 3; k++) assert_true(isnan(got[k]));
    meta_log_odds(inf, 2, got);
    for (int k = 0; k < 2; k++) assert_true(isnan(got[k]));
    meta_log_odds(absent, 3, absent);        /* in place */
    assert_true(absent[0] == -INFINITY && absent[1] == -1 && absent[2] == 1);
    assert_near(meta_log_odds_loss(-900), 900, 1e-12);
    assert_near(meta_log_odds_loss(900), 0, 1e-300);
    assert_true(meta_log_odds_probability(800) == 1 && meta_log_odds_probability(-800) < 1e-300);
}

/* Log-odds at a temperature are those of logits that are divided by it; at 1 they stay, and an order is kept. */
static void test_temper(void **state)
{
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 0, 0);
    for (int trial = 0; trial < 3000; trial++) {
        int n = 2 + meta_rng_below(&rng, 9);
        double logits[10], got[10], want[10], same[10], once[10], scale = pow(10, meta_rng_below(&rng, 5) - 2.), temperature = exp(meta_rng_normal(&rng));
        for (int k = 0; k < n; k++) logits[k] = scale * meta_rng_normal(&rng);
        meta_log_odds(logits, n, got);
        for (int k = 0; k < n; k++) {
            same[k] = once[k] = got[k];
            logits[k] /= temperature;
        }
        meta_log_odds(logits, n, want);
        meta_log_odds_temper(once, n, 1);
        meta_log_odds_temper(got, n, temperature);
        for (int k = 0; k < n; k++) {
            assert_near(got[k], want[k], 1e-13 * (1 + scale / temperature));
            assert_near(once[k], same[k], 1e-13 * (1 + scale));
        }
    }
    double far[] = { 700, -700 }, lost[] = { NAN, 1 };
    meta_log_odds_temper(far, 2, 100);
    assert_near(far[0], 7, 1e-12);
    assert_near(far[1], -7, 1e-12);
    meta_log_odds_temper(lost, 2, 2);
    assert_true(isnan(lost[0]) && isnan(lost[1]));
}

/* ---- networks ------------------------------------------------------------------------------------------------------------- */

enum { EACH = 15 };

/* One pixel x, and a [connected] whose output k is (slope[k] x + bias[k]) scale, over a temperature. */
struct surer { int ways; const double *slope, *bias; double temperature; };

static double auc_at(const struct surer *s, const struct meta_backend *backend, const float *x, double scale)
{
    struct meta_network *net;
    struct meta_program *p;
    struct meta_error error;
    int where, n = s->ways * EACH, labels[n];
    double *scores = malloc(n * s->ways * sizeof *scores);
    if (meta_network_create(&net, (struct meta_shape){ .w = 1, .h = 1, .c = 1 }, &error)
        || meta_network_add(net, (struct meta_layer){ .type = META_CONNECTED, .filters = s->ways, .activation = META_LINEAR }, &error)
        || meta_network_add(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = s->temperature }, &error)
        || meta_network_finish(net, 1, &where, &error)
        || meta_program_create(&p, net, backend, (struct meta_program_settings){ .query = n, .passes = META_FORWARD }, &error))
        fail_msg("%s", error.text);
    float host[net->parameters];
    for (int k = 0; k < s->ways; k++) {
        host[net->layers[0].weights + k] = scale * s->slope[k];
        host[net->layers[0].biases + k] = scale * s->bias[k];
    }
    for (int i = 0; i < n; i++) labels[i] = i / EACH;
    void *parameters = backend->allocate(net->parameters * backend->element);
    backend->upload(parameters, host, net->parameters);
    meta_program_load(p, x, labels);
    meta_program_forward(p, parameters, META_STATISTICS_BATCH, NULL);
    meta_program_log_odds(p, scores);
    double auc = meta_auc_task(scores, labels, n, s->ways);
    free(scores);
    backend->release(parameters);
    meta_program_free(p);
    meta_network_free(net);
    return auc;
}

static void test_the_surer_network_ranks_alike(void **state)
{
    static const double two[] = { 0, 1 }, away[] = { -1, 1 }, none[] = { 0, 0 }, half[] = { 0, -.5 }, all[] = { 0, 40 },
                        three[] = { -1, 0, 1 }, middle[] = { .5, 0, -.5 };
    const struct surer cases[] = {
        { 2, two, half, 1 }, { 2, two, none, 1 },        /* on both sides of 1/2, and on one side alone */
        { 2, two, all, 1 },  { 2, away, none, 1 }, { 2, two, half, .01 }, { 2, two, half, 50 }, { 3, three, middle, 1 },
    };
    const struct meta_backend *backends[] = { &meta_backend_reference, &meta_backend_onednn };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int b = 0; b < 2; b++)
            for (int trial = 0; trial < 5; trial++) {
                float x[3 * EACH];
                struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, trial, 0, 0);
                /* steps of 1/128 are exact, also times a power of 2 */
                for (int i = 0; i < 3 * EACH; i++) x[i] = (meta_rng_below(&rng, 96) + 12 * (i / EACH)) / 128.f;
                double auc = auc_at(&cases[c], backends[b], x, 1);
                if (auc < .3 || auc == .5 || auc > .95) fail_msg("case %d, trial %d: AUC %g", (int)c, trial, auc);
                /* of three, the middle class is scored by the distance of x from 1/2 at any scale */
                for (double scale = 8; scale < 1e6; scale *= 8) assert_near(auc_at(&cases[c], backends[b], x, scale), auc, 1e-12);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_definition), cmocka_unit_test(test_edges), cmocka_unit_test(test_temper), cmocka_unit_test(test_the_surer_network_ranks_alike) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
