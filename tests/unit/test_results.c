/* The JSON file of `meta test`: every field, what each method adds, what JSON has no word for, and
   the way back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "evaluation/methods.h"
#include "evaluation/results.h"
#include "evaluation/scores.h"
#include "json_members.h"
#include "near.h"

enum { RUNS = 3, IMAGES = 5, EPOCHS = 3, POINTS = EPOCHS + 1 };

static struct meta_error error;
static char folder[256], out[300], data[300], list[300];
static char *paths[IMAGES] = { "a 1.png", "b\"2.png", "c3.png", "d\\4.png", "e5.png" };
static char *names[] = { "mole", "n\xc3\xa6vus \"b\"", "rare\\one\n" };
static struct meta_digest digests[IMAGES] = { { 1, 2, 3 }, { 1, 2, 4 }, { 1, 5, 3 }, { 1, 2, 6 },
                                              { 9, 0xfedcba9876543210, 0xa } };
static int of_group[IMAGES] = { -1, 0, 0, -1, 1 }, of_class[IMAGES] = { 0, 0, 1, 1, 2 };
static struct meta_dataset dataset = { .count = IMAGES,
                                       .paths = paths,
                                       .digests = digests,
                                       .label = of_class,
                                       .group = of_group,
                                       .classes = 3,
                                       .names = names,
                                       .list = list };
static struct meta_inner_settings inner = { .test_steps = 5, .learning_rate = .125 };
static struct meta_model model = { .inner = &inner, .net.learning_rate = .25 };

/* The tasks are of two classes; the labels of the second are the other way round. */
static int classes[RUNS][2] = { { 0, 2 }, { 2, 0 }, { 1, 2 } };
static double pairs[RUNS][2] = { { .5, .75 }, { .25, 1 }, { .125, .375 } };
static double curves[RUNS][2][POINTS];
static char ranks[RUNS][8] = { "11(10)0", "10", "(10)" };
static struct meta_run runs[RUNS];
static int items[] = { 1, 4 }, labels[] = { 0, 2 };
static long long asked[] = { 7, 5000000000 };
static double query[] = { -.03125, NAN }, part[META_PARTS * 2] = { .25, NAN, .123456789, 0 };
static struct meta_by_group groups = { RUNS, 2, items, labels, asked, query, part };
static void *settings;
static struct meta_evaluation evaluation;
static struct meta_results results;

static void write_text(const char *path, const char *text)
{
    struct meta_chunk chunk = { text, strlen(text) };
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/results.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(out, sizeof out, "%s/out.json", folder);
    snprintf(data, sizeof data, "%s/x.data", folder);
    snprintf(list, sizeof list, "%s/x.list", folder);
    write_text(data, "123456789");
    write_text(list, "");
    return 0;
}

static void make_run(int i)
{
    runs[i] = (struct meta_run){
        .classes = classes[i], .auc_before = pairs[i][0], .auc_after = pairs[i][1],
        .auc_gain = pairs[i][1] - pairs[i][0], .accuracy_before = .5,
        .accuracy_after = (1. / 3 + i) / RUNS, .query_loss = i == 1 ? NAN : 1.5 + i,
        .calibration = { .nll = .5 + i, .brier = .125 * i,
                         .bins = { [7] = { 1, .5, 1 }, [14] = { 2 * i, 1.875 * i, i } } },
        .pairs_before = &pairs[i][0], .pairs_after = &pairs[i][1], .ranks = ranks[i],
        .images = { 7, 0x0123456789abcdef, 0xab + i }
    };
}

/* A result of the method with its default settings. */
static int make_results(void **state)
{
    unlink(out);
    for (int i = 0; i < RUNS; i++) make_run(i);
    evaluation = (struct meta_evaluation){ .episode = { .ways = 2, .shots = 4, .queries = 3 },
                                           .runs = RUNS,
                                           .seed = (UINT64_C(1) << 60) + 1 };
    results = (struct meta_results){
        .data = data, .cfg = data, .weights = list, .list_name = "valid", .backend = "onednn",
        .model = &model, .dataset = &dataset, .evaluation = &evaluation, .groups = &groups,
        .other_groups = { .75, .25, .5, NAN, 3 }, .ece = { .125, .0625, 0, .25, RUNS }, .runs = runs
    };
    return 0;
}

static int free_settings(void **state)
{
    free(settings);
    settings = NULL;
    return 0;
}

static void use_method(const char *name)
{
    free(settings);
    evaluation.method = meta_method_find(name);
    assert_non_null(evaluation.method);
    if (meta_method_settings(&settings, evaluation.method, &model, &evaluation.episode, &error))
        fail_msg("%s", error.text);
    evaluation.settings = settings;
}

static cJSON *write_and_read(void)
{
    cJSON *root;
    if (meta_results_write(&results, out, &error) || meta_json_read(&root, out, &error))
        fail_msg("%s", error.text);
    return root;
}

static void assert_estimate(const cJSON *object, const char *name, struct meta_estimate e)
{
    const cJSON *j = member(object, name);
    assert_members(j, "mean standard_error low high tasks");
    assert_number(j, "mean", e.mean);
    assert_number(j, "standard_error", e.error);
    assert_number(j, "low", e.low);
    assert_number(j, "high", e.high);
    assert_number(j, "tasks", e.n);
}

static void test_head(void **state)
{
    use_method("maml");
    cJSON *root = write_and_read();
    assert_members(root,
                   "program format settings files classes auc_before auc_after auc_gain "
                   "accuracy_before accuracy_after "
                   "query_loss nll brier ece bins pairs other_groups tasks");
    assert_text(root, "program", "darknet meta test");
    assert_number(root, "format", META_RESULTS_FORMAT);
    const cJSON *s = member(root, "settings"), *files = member(root, "files"),
                *file = member(files, "data");
    assert_text(s, "list", "valid");
    assert_text(s, "seed", "1152921504606846977"); /* more than a double holds */
    assert_number(s, "runs", RUNS);
    assert_number(s, "ways", 2);
    assert_number(s, "shots", 4);
    assert_number(s, "queries", 3);
    assert_text(s, "backend", "onednn");
    assert_members(files, "data cfg weights list images");
    assert_members(file, "path bytes crc32");
    assert_text(file, "path", data);
    assert_number(file, "bytes", 9);
    assert_text(file, "crc32", "cbf43926"); /* the check value of CRC-32 */
    assert_text(member(files, "weights"), "path", list);
    assert_text(member(files, "weights"), "crc32", "00000000");
    assert_number(member(files, "list"), "bytes", 0);
    assert_members(member(files, "images"), "count xxh3_128");
    assert_number(member(files, "images"), "count", IMAGES);
    for (int k = 0; k < 3; k++)
        assert_string_equal(cJSON_GetArrayItem(member(root, "classes"), k)->valuestring, names[k]);
    cJSON_Delete(root);
}

static void test_figures(void **state)
{
    use_method("maml");
    cJSON *root = write_and_read();
    assert_estimate(root, "auc_before", meta_estimate_share(&runs->auc_before, sizeof *runs, RUNS));
    assert_estimate(root, "auc_after", meta_estimate_share(&runs->auc_after, sizeof *runs, RUNS));
    assert_estimate(root, "auc_gain", meta_estimate_within(meta_estimate(&runs->auc_gain, sizeof *runs, RUNS), -1, 1));
    assert_estimate(root, "accuracy_before",
                    meta_estimate_share(&runs->accuracy_before, sizeof *runs, RUNS));
    assert_estimate(root, "accuracy_after",
                    meta_estimate_share(&runs->accuracy_after, sizeof *runs, RUNS));
    assert_estimate(root, "query_loss", (struct meta_estimate){ NAN, NAN, NAN, NAN, RUNS });
    assert_number(member(root, "auc_after"), "mean", (.75 + 1 + .375) / 3);
    cJSON_Delete(root);
}

static void test_calibration(void **state)
{
    use_method("maml");
    cJSON *root = write_and_read();
    assert_estimate(root, "nll", meta_estimate_within(meta_estimate(&runs->calibration.nll, sizeof *runs, RUNS), 0, INFINITY));
    assert_estimate(root, "brier", meta_estimate_within(meta_estimate(&runs->calibration.brier, sizeof *runs, RUNS), 0, 1));
    assert_estimate(root, "ece", results.ece);
    const cJSON *bins = member(root, "bins"), *last = cJSON_GetArrayItem(bins, 14);
    assert_int_equal(cJSON_GetArraySize(bins), META_CALIBRATION_BINS);
    assert_members(last, "count confidence correct");
    assert_number(last, "count", 6);
    assert_number(last, "confidence", 5.625);
    assert_number(last, "correct", 3);
    assert_number(cJSON_GetArrayItem(bins, 7), "count", 3);
    cJSON_Delete(root);
}

static void test_tasks(void **state)
{
    static const char *const images[] = { "0123456789abcdef00000000000000ab",
                                          "0123456789abcdef00000000000000ac",
                                          "0123456789abcdef00000000000000ad" };
    use_method("maml");
    runs[2].ranks = NULL;
    cJSON *root = write_and_read();
    const cJSON *tasks = member(root, "tasks");
    assert_int_equal(cJSON_GetArraySize(tasks), RUNS);
    for (int i = 0; i < RUNS; i++) {
        const cJSON *t = cJSON_GetArrayItem(tasks, i);
        assert_members(t,
                       i < 2 ? "run classes images auc_before auc_after accuracy_before "
                               "accuracy_after query_loss nll brier ranks"
                             : "run classes images auc_before auc_after accuracy_before "
                               "accuracy_after query_loss nll brier");
        assert_number(t, "run", i);
        for (int k = 0; k < 2; k++)
            assert_int_equal(cJSON_GetArrayItem(member(t, "classes"), k)->valueint, classes[i][k]);
        assert_text(t, "images", images[i]);
        assert_number(t, "auc_before", runs[i].auc_before);
        assert_number(t, "auc_after", runs[i].auc_after);
        assert_number(t, "accuracy_before", .5);
        assert_number(t, "accuracy_after", runs[i].accuracy_after);
        assert_number(t, "query_loss", runs[i].query_loss);
        assert_number(t, "nll", .5 + i);
        assert_number(t, "brier", .125 * i);
        if (runs[i].ranks) assert_text(t, "ranks", ranks[i]);
    }
    cJSON_Delete(root);
}

/* Tasks 0 and 1 have the same two classes. */
static void test_pairs(void **state)
{
    struct meta_pair_row *rows;
    int count;
    use_method("maml");
    if (meta_results_pairs(&rows, &count, runs, &evaluation, &error)) fail_msg("%s", error.text);
    assert_int_equal(count, 2);
    assert_true(rows[0].a == 0 && rows[0].b == 2 && rows[1].a == 1 && rows[1].b == 2);
    assert_true(rows[0].before.n == 2 && rows[0].before.mean == .375 && rows[0].after.mean == .875);
    assert_true(rows[1].before.n == 1 && rows[1].before.mean == .125 && rows[1].after.mean == .375);
    cJSON *root = write_and_read();
    const cJSON *list_of_pairs = member(root, "pairs");
    assert_int_equal(cJSON_GetArraySize(list_of_pairs), 2);
    for (int i = 0; i < 2; i++) {
        const cJSON *p = cJSON_GetArrayItem(list_of_pairs, i), *both = member(p, "classes");
        assert_members(p, "classes auc_before auc_after");
        assert_string_equal(cJSON_GetArrayItem(both, 0)->valuestring, names[rows[i].a]);
        assert_string_equal(cJSON_GetArrayItem(both, 1)->valuestring, names[rows[i].b]);
        assert_estimate(p, "auc_before", rows[i].before);
        assert_estimate(p, "auc_after", rows[i].after);
    }
    cJSON_Delete(root);
    free(rows);
}

static void test_groups(void **state)
{
    use_method("maml");
    cJSON *root = write_and_read();
    const cJSON *g = member(root, "other_groups");
    assert_members(g, "redrawn standard_error low high image xxh3_128 class asked "
                      "whole_influence influence parts");
    assert_number(g, "standard_error", .25);
    assert_number(g, "low", .5);
    assert_number(g, "high", NAN);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(cJSON_GetArrayItem(member(g, "image"), i)->valuestring,
                            paths[items[i]]);
        assert_int_equal(cJSON_GetArrayItem(member(g, "class"), i)->valueint, labels[i]);
        assert_true(cJSON_GetArrayItem(member(g, "asked"), i)->valuedouble == asked[i]);
    }
    assert_string_equal(cJSON_GetArrayItem(member(g, "xxh3_128"), 1)->valuestring,
                        "fedcba9876543210000000000000000a");
    assert_string_equal(member(g, "redrawn")->valuestring, "query and support");
    assert_true(cJSON_GetArrayItem(member(g, "whole_influence"), 0)->valuedouble == .3734568);
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(member(g, "whole_influence"), 1)));
    assert_true(cJSON_GetArrayItem(member(g, "influence"), 0)->valuedouble == -.03125);
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(member(g, "influence"), 1)));
    assert_int_equal(cJSON_GetArraySize(member(g, "parts")), META_PARTS);
    const cJSON *second = cJSON_GetArrayItem(member(g, "parts"), 1);
    assert_true(cJSON_GetArrayItem(second, 0)->valuedouble == .1234568);
    cJSON_Delete(root);
}

static void set(const char *flag, double value)
{
    meta_method_set(settings, meta_method_flag(evaluation.method, flag), value);
}

static cJSON *settings_of(const char *method, const char *own)
{
    char members[200];
    snprintf(members, sizeof members, "list seed runs ways shots queries method%s%s backend",
             *own ? " " : "", own);
    cJSON *root = write_and_read();
    const cJSON *s = member(root, "settings");
    assert_text(s, "method", method);
    assert_members(s, members);
    return root;
}

static void test_methods(void **state)
{
    evaluation.bn = META_BN_RUNNING;
    static const char *const steppers[] = { "maml", "relation", "prototype" };
    for (int i = 0; i < 3; i++) {
        use_method(steppers[i]);
        set("-steps", 7 - i);
        cJSON *root = settings_of(steppers[i], "steps learning_rate bn");
        assert_number(member(root, "settings"), "steps", 7 - i);
        assert_number(member(root, "settings"), "learning_rate", .125);
        assert_text(member(root, "settings"), "bn", "running");
        cJSON_Delete(root);
    }
    use_method("knn");
    set("-layer", 2);
    cJSON *root = settings_of("knn", "layer neighbours");
    assert_number(member(root, "settings"), "layer", 2);
    assert_number(member(root, "settings"), "neighbours", 4); /* as many as shots */
    assert_members(root, "program format settings files classes auc_before auc_after auc_gain "
                         "accuracy_before accuracy_after query_loss pairs other_groups tasks");
    cJSON_Delete(root);
    use_method("svm");
    set("-layer", 0);
    root = settings_of("svm", "layer");
    assert_number(member(root, "settings"), "layer", 0);
    cJSON_Delete(root);
    use_method("colour");
    results.weights = NULL;
    root = settings_of("colour", "");
    assert_members(member(root, "files"), "data cfg list images");
    cJSON_Delete(root);
    int count = 0;
    while (meta_methods[count]) count++;
    assert_int_equal(count, 7); /* and finetune: the next test */
}

/* The last task diverges after the first epoch. */
static void test_curve(void **state)
{
    for (int i = 0; i < RUNS; i++) {
        for (int p = 0; p < POINTS; p++) {
            curves[i][0][p] = p == 0 || (i == 2 && p > 1) ? NAN : 2. / p + i;
            curves[i][1][p] = .5 + .125 * p * (i + 1) / RUNS;
        }
        runs[i].curve_loss = curves[i][0];
        runs[i].curve_auc = curves[i][1];
    }
    use_method("finetune");
    set("-epochs", EPOCHS);
    cJSON *root = settings_of("finetune", "epochs learning_rate");
    assert_number(member(root, "settings"), "epochs", EPOCHS);
    assert_number(member(root, "settings"), "learning_rate", .25);
    const cJSON *curve = member(root, "curve");
    assert_int_equal(cJSON_GetArraySize(curve), POINTS);
    for (int p = 0; p < POINTS; p++) {
        const cJSON *point = cJSON_GetArrayItem(curve, p), *loss = member(point, "support_loss");
        assert_members(point, "epoch support_loss auc");
        assert_number(point, "epoch", p);
        assert_number(loss, "tasks", p == 0 ? 0 : p == 1 ? 3 : 2);
        if (p) assert_near(meta_json_get(loss, "mean"), 2. / p + (p == 1 ? 1 : .5), 1e-12);
        else assert_number(loss, "mean", NAN);
        assert_near(meta_json_get(member(point, "auc"), "mean"), .5 + .125 * p * 2 / RUNS, 1e-12);
        assert_number(member(point, "auc"), "tasks", RUNS);
    }
    cJSON_Delete(root);
}

/* What is written can be read for comparison. */
static void test_round_trip(void **state)
{
    struct meta_scores s;
    use_method("maml");
    for (int i = 0; i < RUNS; i++) runs[i].auc_after = (1 + i) / 7.;
    if (meta_results_write(&results, out, &error) || meta_scores_read(&s, out, &error))
        fail_msg("%s", error.text);
    assert_int_equal(s.count, RUNS);
    for (int i = 0; i < RUNS; i++) {
        assert_true(s.before[i] == runs[i].auc_before
                    && fabs(s.after[i] - (1 + i) / 7.) <= DBL_EPSILON);
        assert_true(s.images[i].high == 0x0123456789abcdef && s.images[i].low == 0xabu + i);
    }
    assert_string_equal(s.method, "maml");
    assert_string_equal(s.cfg, data);
    assert_string_equal(s.weights, list);
    assert_string_equal(s.settings, "seed 1152921504606846977, 3 runs, 2 ways, 4 shots, 3 queries");
    const struct meta_by_group *g = &s.groups;
    assert_true(g->count == 2 && g->tasks == RUNS && g->label[1] == 2);
    assert_true(g->query[0] == -.03125 && isnan(g->query[1]) && g->part[2] == .1234568);
    meta_scores_clear(&s);
}

static void test_refusals(void **state)
{
    use_method("maml");
    results.weights = "/no/such.weights";
    assert_int_equal(meta_results_write(&results, out, &error), -1);
    assert_string_equal(error.text, "/no/such.weights: No such file or directory");
    assert_int_equal(access(out, F_OK), -1);
    results.weights = list;
    assert_int_equal(meta_results_write(&results, "/no/folder.json", &error), -1);
    assert_non_null(strstr(error.text, "/no/folder.json: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_head, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_figures, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_calibration, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_tasks, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_pairs, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_groups, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_methods, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_curve, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_round_trip, make_results, free_settings),
        cmocka_unit_test_setup_teardown(test_refusals, make_results, free_settings),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
