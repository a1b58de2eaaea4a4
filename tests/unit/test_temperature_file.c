/* STEM.temperature: written and read again, chosen from, and refused when cut, changed or of other weights. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/checksum.h"
#include "base/file.h"
#include "config/inner_text.h"
#include "near.h"
#include "network/temperature_file.h"

static struct meta_error error;
static char folder[256], weights[300], path[300];

static void write_text(const char *to, const char *text, size_t size)
{
    FILE *f = fopen(to, "w"); /* without a sync: there are a thousand files */
    if (!f || fwrite(text, 1, size, f) != size || fclose(f)) fail_msg("%s can't be written", to);
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/temperature.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(weights, sizeof weights, "%s/a.b_final.weights", folder);
    snprintf(path, sizeof path, "%s/a.b_final.temperature", folder);
    return 0;
}

static struct meta_temperatures example(void)
{
    struct meta_temperatures t = { .ways = 2, .steps = 10, .tasks = 200, .learning_rate = .01,
                                   .seed = 18446744073709551615u, .count = 4, .inner = "[a] b=1 on images of 1x2x3" };
    t.rows[0] = (struct meta_temperature_row){ "batch", 1, 2.5, 2, 3, .75, .625 };
    t.rows[1] = (struct meta_temperature_row){ "batch", 4, 10, NAN, NAN, .5, .25 };
    t.rows[2] = (struct meta_temperature_row){ "support", 5, 1 / 3., .25, .5, 1, .875 };
    t.rows[3] = (struct meta_temperature_row){ "batch", 2, 5, 4, 6, .5, .375 };
    return t;
}

static void write_example(void)
{
    struct meta_temperatures t = example();
    write_text(weights, "weights", 7);
    if (meta_digest_file(&t.weights, weights, &error) || meta_temperatures_write(&t, path, "a test", &error))
        fail_msg("%s", error.text);
}

static void test_round_trip(void **state)
{
    struct meta_temperatures t, written = example();
    write_example();
    if (meta_temperatures_find(&t, weights, &error)) fail_msg("%s", error.text);
    assert_true(t.ways == 2 && t.steps == 10 && t.tasks == 200 && t.learning_rate == .01 && t.seed == written.seed && t.count == 4);
    assert_string_equal(t.inner, "[a] b=1 on images of 1x2x3");
    assert_int_equal(t.weights.bytes, 7);
    for (int i = 0; i < 4; i++) {
        const struct meta_temperature_row *a = &t.rows[i], *b = &written.rows[i];
        assert_string_equal(a->statistics, b->statistics);
        assert_true(a->shots == b->shots && a->temperature == b->temperature && a->before == b->before && a->after == b->after);
        assert_true(isnan(b->low) ? a->low == 0 && a->high == 0 : a->low == b->low && a->high == b->high);
    }
    unlink(path);
    if (meta_temperatures_find(&t, weights, &error)) fail_msg("%s", error.text);
    assert_int_equal(t.count, 0);
    char *other = meta_temperatures_path("x/y.z/plain", &error);
    assert_string_equal(other, "x/y.z/plain.temperature");
    free(other);
}

static void test_choosing(void **state)
{
    struct meta_temperatures t = example();
    struct meta_temperature_use use = { 2, 10, .01, "batch", 1, 1, "[a] b=1 on images of 1x2x3" };
    char why[128];
    static const double shots[] = { .5, 1, 2, 4, 9 }, expected[] = { 2.5, 2.5, 5, 10, 10 };
    for (int i = 0; i < 5; i++) {
        use.shots = shots[i];
        assert_near(meta_temperatures_choose(&t, &use, why, sizeof why), expected[i], 1e-12);
        assert_string_equal(why, "");
    }
    use.shots = 3; /* a power of the shots between 2 and 4: here the temperature is 2.5 times them */
    assert_near(meta_temperatures_choose(&t, &use, why, sizeof why), 7.5, 1e-12);
    use.statistics = "support";
    assert_near(meta_temperatures_choose(&t, &use, why, sizeof why), 1 / 3., 1e-12);
    use.statistics = "running";
    assert_true(meta_temperatures_choose(&t, &use, why, sizeof why) == 0);
    assert_string_equal(why, "other statistics than running");
    use = (struct meta_temperature_use){ 3, 10, .01, "batch", 1, 1, "[a] b=1 on images of 1x2x3" };
    assert_true(meta_temperatures_choose(&t, &use, why, sizeof why) == 0);
    assert_string_equal(why, "2 classes, not 3");
    use = (struct meta_temperature_use){ 2, 5, .01, "batch", 1, 1, "[a] b=1 on images of 1x2x3" };
    assert_true(meta_temperatures_choose(&t, &use, why, sizeof why) == 0);
    assert_string_equal(why, "10 steps at 0.01, not 5 at 0.01");
    use = (struct meta_temperature_use){ 2, 10, .1, "batch", 1, 1, "[a] b=1 on images of 1x2x3" };
    assert_true(meta_temperatures_choose(&t, &use, why, sizeof why) == 0);
    assert_string_equal(why, "10 steps at 0.01, not 10 at 0.1");
    use = (struct meta_temperature_use){ 2, 10, .01, "batch", 1, 1, "[a] on images of 1x2x3" };
    assert_true(meta_temperatures_choose(&t, &use, why, sizeof why) == 0);
    assert_string_equal(why, "[a] b=1 on images of 1x2x3, not [a] on images of 1x2x3");
    *t.inner = 0; /* of an early file */
    assert_near(meta_temperatures_choose(&t, &use, why, sizeof why), 2.5, 1e-12);
}

/* The text for a .cfg of so many pixels with these last sections. */
static const char *inner_of(int side, const char *sections)
{
    static char text[META_TEMPERATURE_INNER];
    struct meta_model *model;
    char cfg[1200];
    int n = snprintf(cfg, sizeof cfg, "[net]\nwidth=%d\nheight=8\nchannels=3\n[connected]\noutput=2\nactivation=linear\n[softmax]\n%s\n", side, sections);
    write_text(path, cfg, n);
    if (meta_model_load(&model, path, &error)) fail_msg("%s", error.text);
    meta_inner_text(text, model);
    meta_model_free(model);
    return text;
}

static void test_inner_text(void **state)
{
    char longest[600] = "[momentum]\nonly=";
    assert_string_equal(inner_of(8, ""), "[inner_loop] on images of 8x8x3");
    assert_string_equal(inner_of(9, "[inner_loop]\nsteps=3\ntest_steps=2\nlearning_rate=.5\norder=1\nkeep=1\nadapt=all"), "[inner_loop] on images of 9x8x3");
    assert_string_equal(inner_of(8, "[inner_loop]\nhead=imprinted\nadapt=head"), "[inner_loop] adapt=head head=imprinted on images of 8x8x3");
    assert_string_equal(inner_of(8, "[inner_loop]\nrates=parameter"), "[inner_loop] rates=parameter on images of 8x8x3");
    assert_string_equal(inner_of(8, "[momentum]\nmomentum=0.90\ndecay=1e-3"), "[momentum] decay=0.001 on images of 8x8x3");
    memset(longest + strlen(longest), 'x', 500);
    assert_memory_equal(inner_of(8, longest), "[momentum] options of crc32 ", 28);
    char first[META_TEMPERATURE_INNER];
    snprintf(first, sizeof first, "%s", inner_of(8, longest));
    longest[400] = 'y';
    assert_string_not_equal(inner_of(8, longest), first);
}

/* Every shorter file, and every file with another byte, is refused. */
static void test_damage(void **state)
{
    struct meta_temperatures t;
    char *bytes;
    size_t size;
    write_example();
    if (meta_file_read(path, &bytes, &size, &error)) fail_msg("%s", error.text);
    for (size_t n = 0; n < size; n++) {
        write_text(path, bytes, n);
        if (!meta_temperatures_read(&t, path, &error)) fail_msg("%zu bytes of %zu are read", n, size);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 1;
        write_text(path, bytes, size);
        if (!meta_temperatures_read(&t, path, &error)) fail_msg("a change of byte %zu is not seen", i);
        bytes[i] ^= 1;
    }
    free(bytes);
    assert_non_null(strstr(error.text, ": is cut short, changed or no file of temperatures: `meta calibrate -overwrite` makes it anew"));
}

static void test_other_weights(void **state)
{
    struct meta_temperatures t;
    char expected[800];
    write_example();
    write_text(weights, "Weights", 7);
    assert_int_equal(meta_temperatures_find(&t, weights, &error), -1);
    snprintf(expected, sizeof expected, "%s: is of other weights or learned rates than %s: `meta calibrate -overwrite` makes it anew, or remove it", path, weights);
    assert_string_equal(error.text, expected);
}

/* Lines with a good check sum that are none of such a file. */
static void test_lines(void **state)
{
    static const char *const bad[] = {
        "ways=1", "ways=", "steps=1001", "steps=1x", "tasks=0", "learning_rate=nan", "seed=-1", "weights=12", "new=1",
        "batch 1 1 1 1 1", "batch 1 1 1 1 1 1 1", "batch 0 1 1 1 1 1", "batch 1 0 1 1 1 1", "batch 1 inf 1 1 1 1", "batch 1 1 1 1 -1 1",
        "batchbatchbatchbatch 1 1 1 1 1 1", "x"
    };
    struct meta_temperatures t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[400], line[40];
        int n = snprintf(text, sizeof text, "# Temperatures of adapted weights, format 1\nways=2\ntasks=3\n%s\n", bad[i]);
        n += snprintf(text + n, sizeof text - n, "crc32=%08x\n", meta_checksum_add(0, text, n));
        write_text(path, text, n);
        if (!meta_temperatures_read(&t, path, &error)) fail_msg("%s is read", bad[i]);
        snprintf(line, sizeof line, "temperature:4: is no ");
        if (!strstr(error.text, line)) fail_msg("%s: %s", bad[i], error.text);
    }
    static const char none[] = "# Temperatures of adapted weights, format 1\nways=2\ntasks=3\n";
    char text[200];
    int n = snprintf(text, sizeof text, "%scrc32=%08x\n", none, meta_checksum_add(0, none, sizeof none - 1));
    write_text(path, text, n);
    assert_int_equal(meta_temperatures_read(&t, path, &error), -1);
    assert_non_null(strstr(error.text, "has no temperature, or not all settings"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_choosing), cmocka_unit_test(test_inner_text), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_other_weights), cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
