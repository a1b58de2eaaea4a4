/* How long a training goes on, and when it watches the valid list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "toy_training.h"

/* ---- how long -------------------------------------------------------------------------------- */

static void max_batches_end_a_training(void **state)
{
    struct place p = make_place("ends");
    struct meta_training_settings s = settings(&p);
    char weights[440];
    struct meta_trainer *t = opened(&s);
    assert_int_equal(meta_trainer_total(t), 8);
    meta_trainer_free(t);
    s.max_batches = 3;
    t = opened(&s);
    assert_int_equal(meta_trainer_total(t), 3);
    iterate(t, 3);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    close_saved(t);
    s.resume = 1;
    s.max_batches = 2;
    refused(&s, "toy.state: is at iteration 3, past max_batches=2");
    /* weights have seen 3 iterations of 2 tasks of 2 * 5 images */
    s.resume = 0;
    s.weights = weights;
    snprintf(weights, sizeof weights, "%s/backup/toy_final.weights", p.folder);
    s.max_batches = 3;
    refused(&s, "has seen 60 images, iteration 3 of 3: nothing is left to train");
    s.max_batches = 4;
    t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 3);
    meta_trainer_free(t);
    s.clear = 1;
    s.max_batches = 3;
    t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 0);
    meta_trainer_free(t);
    s = settings(&p);
    write_cfg(&p, "max_batches=0\n", "", "");
    refused(&s, "max_batches");
}

/* ---- the valid list -------------------------------------------------------------------------- */

static void count_steps(void *context, int done) { *(int *)context += 1; }

static void the_valid_list_is_due(void **state)
{
    struct place p = make_place("valid");
    struct meta_training_settings s = settings(&p);
    struct meta_row row;
    s.valid_every = 3;
    struct meta_trainer *t = opened(&s);
    assert_true(meta_trainer_watches(t));
    assert_int_equal(meta_trainer_valid_steps(t), s.valid_runs);
    assert_non_null(meta_trainer_valid_set(t));
    while (meta_trainer_done(t) < 8) {
        assert_int_equal(meta_trainer_step(t, &row, &error), 0);
        assert_true(row.auc != row.auc);
        int due = row.iteration % 3 == 0 || row.iteration == 8, steps = 0;
        assert_int_equal(meta_trainer_valid_due(t), due);
        if (!due) continue;
        struct meta_estimate e = meta_trainer_watch(t, &row, count_steps, &steps);
        assert_int_equal(steps, s.valid_runs);
        assert_int_equal(e.n, s.valid_runs);
        assert_true(row.auc == e.mean && row.auc >= 0 && row.auc <= 1);
        assert_true(row.low == e.low && row.high == e.high);
    }
    meta_trainer_free(t);
}

/* Watching draws no random number that training draws. */
static void watching_changes_nothing(void **state)
{
    struct place p = make_place("watched"), q = make_place("unwatched");
    struct meta_training_settings s = settings(&p), u = settings(&q);
    struct meta_row row;
    s.valid_every = 1;
    struct meta_trainer *t = opened(&s), *plain = opened(&u);
    assert_false(meta_trainer_watches(plain));
    assert_null(meta_trainer_valid_set(plain));
    for (int i = 0; i < 3; i++) {
        iterate(t, i + 1);
        meta_trainer_watch(t, &row, NULL, NULL);
    }
    iterate(plain, 3);
    assert_false(meta_trainer_valid_due(plain));
    assert_same(t, plain);
    meta_trainer_free(t);
    meta_trainer_free(plain);
}

static void a_valid_list_that_is_missing(void **state)
{
    struct place p = make_place("no_valid");
    struct meta_training_settings s = settings(&p);
    write_data(&p, NULL);
    s.valid_every = 3;
    struct meta_trainer *t = opened(&s);
    assert_false(meta_trainer_watches(t));
    meta_trainer_free(t);
    s.valid_asked = 1;
    refused(&s, "toy.data: has no valid=, which -valid_every needs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_batches_end_a_training),
        cmocka_unit_test(the_valid_list_is_due),
        cmocka_unit_test(watching_changes_nothing),
        cmocka_unit_test(a_valid_list_that_is_missing),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
