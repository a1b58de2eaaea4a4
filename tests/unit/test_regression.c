/* Logistic regression against scikit-learn, and L*a*b* against OpenCV (tests/oracle/colour.txt); what a fit must be, and that
   the method colour sees colours alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "images/lab.h"
#include "near.h"
#include "stats/regression.h"

enum { MOST = 200 };

static struct meta_error error;

static FILE *open_oracle(void)
{
    FILE *f = fopen("tests/oracle/colour.txt", "r");
    if (!f) fail_msg("tests/oracle/colour.txt can't be read");
    return f;
}

static void read_numbers(FILE *f, double *x, int n)
{
    for (int i = 0; i < n; i++) assert_int_equal(fscanf(f, "%lf", &x[i]), 1);
}

static void test_lab(void **state)
{
    FILE *f = open_oracle();
    double x[6], lab[3];
    int count = 0;
    while (fscanf(f, " lab%n", &(int){ 0 }) == 0 && fscanf(f, "%lf", &x[0]) == 1) {
        read_numbers(f, x + 1, 5);
        meta_lab(x, lab);
        for (int k = 0; k < 3; k++) assert_near(lab[k], x[3 + k], .2); /* OpenCV goes by coarse tables */
        count++;
    }
    fclose(f);
    assert_int_equal(count, 9);
}

static void test_oracle(void **state)
{
    FILE *f = open_oracle();
    char line[512];
    int classes, count, size, cases = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "case %d %d %d", &classes, &count, &size) != 3) continue;
        static double features[MOST], w[MOST], expected[MOST], ask[20];
        static int labels[MOST];
        int vectors = classes == 2 ? 1 : classes;
        for (int i = 0; i < count; i++) {
            assert_int_equal(fscanf(f, " point %d", &labels[i]), 1);
            read_numbers(f, features + i * size, size);
        }
        const struct meta_regression_points points = { count, size, classes, features, labels };
        if (meta_regression_fit(w, &points, 1, &error)) fail_msg("%s", error.text);
        for (int k = 0; k < vectors; k++) {
            assert_int_equal(fscanf(f, " vector%n", &(int){ 0 }), 0);
            read_numbers(f, expected, size + 1);
            for (int j = 0; j <= size; j++) assert_near(w[k * (size + 1) + j], expected[j], 1e-6);
        }
        for (int i = 0; i < 3; i++) {
            double logits[4], mean = 0;
            assert_int_equal(fscanf(f, " ask%n", &(int){ 0 }), 0);
            read_numbers(f, ask, size);
            read_numbers(f, expected, vectors);
            meta_regression_logits(logits, w, ask, size, classes);
            if (classes == 2) assert_true(logits[0] == 0);
            for (int k = 0; k < vectors; k++) mean += (logits[classes - vectors + k] - expected[k]) / vectors;
            for (int k = 0; k < vectors; k++)
                assert_near(logits[classes - vectors + k] - expected[k], classes == 2 ? 0 : mean, 1e-6);
        }
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 3);
}

/* Far from 0 and well told apart, a fit still ends, at a point where the gradient is 0. */
static void test_hard(void **state)
{
    static const double features[] = { 1e3, 2e3, 1.1e3, -5e2, -1e3, 0, -1.2e3, 40 };
    static const int labels[] = { 0, 0, 1, 1 };
    double w[3], logits[2];
    struct meta_regression_points points = { 4, 2, 2, features, labels };
    if (meta_regression_fit(w, &points, 1, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < 4; i++) {
        meta_regression_logits(logits, w, features + 2 * i, 2, 2);
        assert_true((logits[1] > 0) == labels[i]);
    }
    double bad[8];
    memcpy(bad, features, sizeof bad);
    bad[3] = NAN;
    points.features = bad;
    assert_int_equal(meta_regression_fit(w, &points, 1, &error), -1);
    assert_string_equal(error.text, "the logistic regression of 4 points came to no end in 200 steps");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lab), cmocka_unit_test(test_oracle), cmocka_unit_test(test_hard) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
