/* Checkpoints: what is read is what was written, and no damage goes unseen; what makes a resume refuse; the log's tail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "training/checkpoint.h"
#include "base/file.h"
#include "base/leftovers.h"
#include "training/fingerprint.h"
#include "near.h"
#include "training/train_log.h"

static char path[256], other[300];

static int set_up(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(path, sizeof path, "%s/checkpoint.%d", tmp ? tmp : "/tmp", (int)getpid());
    return 0;
}

static int tear_down(void **state) { unlink(path); return 0; }

static void write_checkpoint(const char *settings, size_t state_size)
{
    struct meta_error e;
    char *state = malloc(state_size + 1);
    for (size_t i = 0; i < state_size; i++) state[i] = i * 7 + 3;
    struct meta_checkpoint c = { .iteration = 1234, .seen = 987654321012ULL, .weighed = 1200, .settings = settings, .state = state, .state_size = state_size };
    if (meta_checkpoint_write(path, &c, &e)) fail_msg("%s", e.text);
    free(state);
}

static void put(const char *bytes, size_t size)
{
    struct meta_error e;
    struct meta_chunk chunk = { bytes, size };
    if (meta_file_write(path, &chunk, 1, &e)) fail_msg("%s", e.text);
}

static void test_round_trip(void **state)
{
    struct meta_error e;
    struct meta_checkpoint c;
    const char *settings[] = { "", "a=1\n", "[net] learning_rate=.001\nseed=3\n0123456789=x" };
    for (int i = 0; i < 3; i++)
        for (size_t size = 0; size < 100; size += 33) {
            write_checkpoint(settings[i], size);
            if (meta_checkpoint_read(&c, path, &e)) fail_msg("%s", e.text);
            assert_int_equal(c.iteration, 1234);
            assert_int_equal(c.seen, 987654321012ULL);
            assert_int_equal(c.weighed, 1200);
            assert_string_equal(c.settings, settings[i]);
            assert_int_equal(c.state_size, size);
            assert_int_equal((uintptr_t)c.state % 16, 0);
            for (size_t k = 0; k < size; k++) assert_int_equal(((unsigned char *)c.state)[k], (k * 7 + 3) & 255);
            meta_checkpoint_free(&c);
        }
}

static void test_damage(void **state)
{
    struct meta_error e;
    struct meta_checkpoint c;
    char *bytes;
    size_t size;
    write_checkpoint("a=1\nb=2\n", 200);
    if (meta_file_read(path, &bytes, &size, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 1 << i % 8;
        put(bytes, size);
        if (!meta_checkpoint_read(&c, path, &e)) fail_msg("a flipped bit at byte %zu was not seen", i);
        assert_non_null(strstr(e.text, path));
        bytes[i] ^= 1 << i % 8;
    }
    for (size_t shorter = 0; shorter < size; shorter++) {
        put(bytes, shorter);
        if (!meta_checkpoint_read(&c, path, &e)) fail_msg("%zu of %zu bytes were taken", shorter, size);
    }
    put(bytes, size);
    assert_int_equal(meta_checkpoint_read(&c, path, &e), 0);
    meta_checkpoint_free(&c);
    char *longer = calloc(1, size + 16);
    memcpy(longer, bytes, size);
    put(longer, size + 16);
    assert_int_equal(meta_checkpoint_read(&c, path, &e), -1);
    bytes[8]++;
    put(bytes, size);
    assert_int_equal(meta_checkpoint_read(&c, path, &e), -1);
    assert_non_null(strstr(e.text, "version"));
    unlink(path);
    assert_int_equal(meta_checkpoint_read(&c, path, &e), -1);
    assert_non_null(strstr(e.text, "No such file"));
    free(longer);
    free(bytes);
}

static void differs(const char *then, const char *now, const char *message)
{
    struct meta_error e;
    assert_int_equal(meta_fingerprint_compare(then, now, &e), -1);
    assert_string_equal(e.text, message);
}

static void test_settings(void **state)
{
    struct meta_error e;
    assert_int_equal(meta_fingerprint_compare("a=1\nb=x y\n", "b=x y\na=1\n", &e), 0);
    assert_int_equal(meta_fingerprint_compare("a=0.10\n", "a=.1\n", &e), 0);
    differs("[net] learning_rate=0.001\n", "[net] learning_rate=0.01\n", "[net] learning_rate is 0.01, but was 0.001 in the checkpoint");
    differs("-seed=1\nx=2\n", "-seed=1\nx=3\n", "x is 3, but was 2 in the checkpoint");
    differs("a=1\nb=2\n", "a=1\n", "b was 2 in the checkpoint and is not set now");
    differs("a=1\n", "a=1\nb=2\n", "b is 2 and was not set in the checkpoint");
    /* earlier versions did not write down what plugins were */
    assert_int_equal(meta_fingerprint_compare("a=1\n", "a=1\nplugin [x]=xxh3-128:1\n", &e), 0);
    assert_int_equal(meta_fingerprint_compare_unweighed("a=1\n", "a=1\nplugin [x]=xxh3-128:1\n", &e), 0);
    differs("a=1\nplugin [x]=xxh3-128:1\n", "a=1\nplugin [x]=xxh3-128:2\n", "plugin [x] is xxh3-128:2, but was xxh3-128:1 in the checkpoint");
    differs("a=\n", "a=0\n", "a is 0, but was  in the checkpoint");
    differs("sum=crc32:1e2\n", "sum=crc32:100\n", "sum is crc32:100, but was crc32:1e2 in the checkpoint");
    differs("ab=1\n", "a=1\n", "ab was 1 in the checkpoint and is not set now");
    /* the lines of an ensemble's trainings have the same names */
    differs("seed=1\nseed=2\ntasks=4\n", "seed=1\nseed=2\ntasks=5\n", "tasks is 5, but was 4 in the checkpoint");
    differs("seed=1\nseed=2\n", "seed=1\nseed=3\n", "seed is 3, but was 2 in the checkpoint");
    differs("seed=1\nseed=2\n", "seed=1\n", "seed was 2 in the checkpoint and is not set now");
}

static void make_file(const char *suffix)
{
    snprintf(other, sizeof other, "%s%s", path, suffix);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    fclose(f);
}

static void test_sweep(void **state)
{
    char mine[32];
    snprintf(mine, sizeof mine, ".tmp.%d", (int)getpid());
    const char *keep[] = { "", ".tmp", ".temp.1", ".tmp.", ".tmp.12x", "x.tmp.999999", ".tmp.999999.", ".tmp.999999.x" };
    const char *gone[] = { mine, ".tmp.1", ".tmp.1.12", "1000.weights.tmp.999999", "7.weights.tmp.1.0" };
    const char *numbered_keep[] = { "1000.weights", "x.weights.tmp.999999", "1000.state.tmp.999999" };
    for (int i = 0; i < 5; i++) make_file(gone[i]);
    for (int i = 0; i < 8; i++) make_file(keep[i]);
    for (int i = 0; i < 3; i++) make_file(numbered_keep[i]);
    meta_leftovers_remove(path, NULL);
    meta_leftovers_remove(path, ".weights");
    for (int i = 0; i < 5; i++) {
        snprintf(other, sizeof other, "%s%s", path, gone[i]);
        assert_int_equal(access(other, F_OK), -1);
    }
    for (int i = 0; i < 11; i++) {
        snprintf(other, sizeof other, "%s%s", path, i < 8 ? keep[i] : numbered_keep[i - 8]);
        assert_int_equal(unlink(other), 0);
    }
}

/* ---- the log ---------------------------------------------------------------------------------------------------------------- */

static enum meta_training_kind kind;

static struct meta_row row_of(uint64_t i)
{
    struct meta_row r = { i, 1. / i, 2. / i, .5, .001, .25, .125, NAN, NAN, NAN, NAN };
    if (i % 4 == 0) { r.auc = .75; r.low = .7; r.high = .8; r.valid_loss = .6; }
    return r;
}

static void open_log(struct meta_log *log, uint64_t iteration, int room)
{
    struct meta_error e;
    if (meta_log_open(log, kind, path, &e) || meta_log_prepare(log, path, iteration, room, &e) || meta_log_begin(log, &e)) fail_msg("%s", e.text);
}

static void add(struct meta_log *log, uint64_t i)
{
    struct meta_error e;
    struct meta_row r = row_of(i);
    if (meta_log_add(log, &r, &e)) fail_msg("%s", e.text);
}

__attribute__((noinline)) static char *text(void)
{
    struct meta_error e;
    char *bytes;
    size_t size;
    if (meta_file_read(path, &bytes, &size, &e)) fail_msg("%s", e.text);
    return bytes;
}

static void refuse(uint64_t iteration, const char *message)
{
    struct meta_log log;
    struct meta_error e;
    char *before = text();
    assert_int_equal(meta_log_open(&log, kind, path, &e), 0);
    assert_int_equal(meta_log_prepare(&log, path, iteration, 4, &e), -1);
    assert_non_null(strstr(e.text, message));
    meta_log_close(&log);
    char *after = text();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* As a spreadsheet saves it. */
static void put_crlf(const char *lines)
{
    char *out = malloc(2 * strlen(lines) + 1), *p = out;
    for (; *lines; *p++ = *lines++) if (*lines == '\n') *p++ = '\r';
    put(out, p - out);
    free(out);
}

/* A row's iteration is a whole number that a training can have. */
static void log_of_other_numbers(void **state)
{
    static const char *const iteration[] = { "0", "1.5", "1e30", "-1", "100000001", "nan", "" };
    for (size_t i = 0; i < sizeof iteration / sizeof *iteration; i++) {
        char lines[400];
        struct meta_row *rows;
        struct meta_error e;
        int count;
        snprintf(lines, sizeof lines,
                 "iteration,meta_loss,query_loss,accuracy,rate,seconds,waited,valid_auc,valid_low,valid_high\n"
                 "1,1,1,.5,.1,1,0,,,\n%s,1,1,.5,.1,1,0,,,\n", iteration[i]);
        put(lines, strlen(lines));
        if (meta_log_read(&rows, &count, path, &e)) fail_msg("%s", e.text);
        assert_int_equal(count, 1);
        free(rows);
    }
}

static void test_log_resume(void **state)
{
    struct meta_log log;
    open_log(&log, 0, 10);
    for (int i = 1; i <= 10; i++) add(&log, i);
    meta_log_close(&log);
    char *whole = text();
    /* killed in the middle of a line, after the checkpoint of iteration 6 */
    assert_int_equal(truncate(path, strlen(whole) - 5), 0);
    open_log(&log, 6, 4);
    assert_int_equal(log.count, 6);
    for (int i = 0; i < 6; i++) {
        struct meta_row r = row_of(i + 1);
        assert_int_equal(log.rows[i].iteration, i + 1);
        assert_near(log.rows[i].query_loss, r.query_loss, 1e-8);
        if (kind == META_TRAINING_IMAGES) assert_true(isnan(r.auc) ? isnan(log.rows[i].valid_loss) : log.rows[i].valid_loss == r.valid_loss);
        else assert_near(log.rows[i].meta_loss, r.meta_loss, 1e-8);
        assert_true(isnan(r.auc) ? isnan(log.rows[i].auc) : log.rows[i].high == r.high);
    }
    for (int i = 7; i <= 10; i++) add(&log, i);
    meta_log_close(&log);
    char *resumed = text();
    assert_string_equal(resumed, whole);
    /* a line of somebody else's among the rows is not dropped, nor what follows it; after them it is */
    char *line = strstr(resumed, "\n3,");
    line[1] = 'x';
    put(resumed, strlen(resumed));
    refuse(6, ":4: is not the next row of this training's log");
    open_log(&log, 0, 0);
    meta_log_close(&log);
    line[1] = '3';
    resumed[0] = 'x';
    put(resumed, strlen(resumed));
    refuse(6, ":1: is not the header of this training's log");
    resumed[0] = 'i';
    put_crlf(resumed);
    open_log(&log, 6, 4);
    assert_int_equal(log.count, 6);
    assert_true(isnan(log.rows[0].high) && log.rows[3].high == .8);
    meta_log_close(&log);
    open_log(&log, 0, 1);
    assert_int_equal(log.count, 0);
    meta_log_close(&log);
    free(resumed);
    resumed = text();
    assert_true(!strncmp(resumed, whole, strlen(resumed)));
    assert_true(strchr(resumed, '\n')[1] == 0);
    free(whole);
    free(resumed);
}

static void test_log_resume_images(void **state)
{
    kind = META_TRAINING_IMAGES;
    test_log_resume(state);
    char *now = text();
    assert_string_equal(now, "iteration,loss,accuracy,rate,seconds,waited,valid_loss,valid_accuracy,valid_low,valid_high\n");
    free(now);
    kind = META_TRAINING_TASKS;
}

/* Whatever another program does to the log, the next row finds it as if it had not, and it is said once. */
static void test_log_changed(void **state)
{
    struct meta_log log;
    struct meta_error e;
    char moved[512];
    open_log(&log, 0, 12);
    for (int i = 1; i <= 12; i++) add(&log, i);
    meta_log_close(&log);
    char *whole = text(), *end = whole;
    open_log(&log, 6, 6);
    snprintf(moved, sizeof moved, "%s.old", path);
    for (int i = 7; i <= 12; i++) {
        struct meta_row r = row_of(i);
        if (i == 7) assert_int_equal(unlink(path), 0);
        if (i == 8) assert_int_equal(truncate(path, 0), 0);
        if (i == 9) assert_int_equal(truncate(path, 100), 0);
        if (i == 10) assert_int_equal(rename(path, moved), 0);
        if (i == 11) {
            FILE *f = fopen(path, "a");
            fputs("999,junk\n", f);
            fclose(f);
        }
        assert_int_equal(meta_log_add(&log, &r, &e), i < 12 ? -1 : 0);
        if (i < 12) assert_non_null(strstr(e.text, ": was changed or removed by another program: it is written anew"));
        char *now = text();
        for (end = whole; *end && atoi(end) != i + 1; end = strchr(end, '\n') + 1) {}
        assert_int_equal(strlen(now), end - whole);
        assert_memory_equal(now, whole, end - whole);
        free(now);
    }
    /* also where a row is amended, and before a checkpoint */
    assert_int_equal(truncate(path, 50), 0);
    struct meta_row last = row_of(12);
    meta_log_amend(&log, &last);
    meta_log_sync(&log);
    char *now = text();
    assert_string_equal(now, whole);
    free(now);
    /* cut between the look at it and the next row, it has a hole */
    assert_int_equal(truncate(path, 50), 0);
    assert_int_equal(truncate(path, (off_t)strlen(whole)), 0);
    meta_log_sync(&log);
    now = text();
    assert_string_equal(now, whole);
    free(now);
    meta_log_close(&log);
    unlink(moved);
    free(whole);
}

/* A limit on the size of files stands for a full disk: said once, no torn line, nothing lost when there is room again. */
static void test_log_full(void **state)
{
    struct meta_log log;
    struct meta_error e;
    struct rlimit old, small;
    int said = 0;
    open_log(&log, 0, 20);
    add(&log, 1);
    add(&log, 2);
    getrlimit(RLIMIT_FSIZE, &old);
    char *before = text();
    small = (struct rlimit){ strlen(before) + 70, old.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 3; i <= 8; i++) {
        struct meta_row r = row_of(i);
        said += meta_log_add(&log, &r, &e) != 0;
    }
    setrlimit(RLIMIT_FSIZE, &old);
    char *during = text();
    assert_int_equal(said, 1);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(during[strlen(during) - 1], '\n');
    assert_true(log.written < 8 && log.count == 8);
    add(&log, 9);
    assert_int_equal(log.written, 9);
    meta_log_close(&log);
    free(before);
    free(during);
    open_log(&log, 9, 0);
    assert_int_equal(log.count, 9);
    meta_log_close(&log);
}

/* The longest name that a backend has stays whole. */
static void instruction_sets(void **state)
{
    char was[META_INSTRUCTIONS], now[META_INSTRUCTIONS];
    assert_int_equal(meta_fingerprint_moved("seed=1\ninstructions=avx512, kernels onednn\n", "seed=1\ninstructions=avx2, kernels onednn\n", was, now), 1);
    assert_string_equal(was, "avx512, kernels onednn");
    assert_string_equal(now, "avx2, kernels onednn");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(log_of_other_numbers), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damage), cmocka_unit_test(test_settings),
                                        cmocka_unit_test(test_sweep), cmocka_unit_test(test_log_resume), cmocka_unit_test(test_log_resume_images),
                                        cmocka_unit_test(test_log_changed), cmocka_unit_test(test_log_full), cmocka_unit_test(instruction_sets) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
