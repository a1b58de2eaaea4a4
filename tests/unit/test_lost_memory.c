/* Each allocation of a function fails in turn: the function says so, and does not leave out an interval, a curve or an image. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "evaluation/by_group.h"
#include "paper/report/report_figures.h"
#include "stats/estimate.h"
#include "stats/estimate_json.h"
#include "stats/roc.h"
#include "base/pool.h"
#include "tasks/data_file.h"
#include "tasks/dataset.h"

/* The call of malloc, calloc or strdup from now on that fails: 1 is the next, 0 none. */
static long fails;

static int due(void) { return fails && !--fails; }

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(70);
    return found;
}

void *malloc(size_t n) { return due() ? NULL : ((void *(*)(size_t))next("malloc"))(n); }
void *calloc(size_t n, size_t size) { return due() ? NULL : ((void *(*)(size_t, size_t))next("calloc"))(n, size); }

static struct meta_error error;

/* Calls `one` with its first allocation failing, its second, and so on, until it has no more: each time it must say so, or have looked
   itself at a result that is whole. Returns how often it said so. */
static int each_is_told(int (*one)(void *), void *context)
{
    for (int n = 1, told = 0;; n++) {
        error.text[0] = 0;
        fails = n;
        int status = one(context), failed = !fails;
        fails = 0;
        if (!failed) {
            assert_int_equal(status, 0);
            return told;
        }
        if (!status) continue;
        assert_int_equal(status, -1);
        assert_non_null(strstr(error.text, "out of memory"));
        told++;
    }
}

/* ---- intervals ------------------------------------------------------------------------------------------------------------ */

static int bootstrap(void *out)
{
    const double x[] = { .1, .4, .2, .7 };
    int status = meta_bootstrap(out, x, 4, 100, 1, &error);
    if (!status) assert_false(isnan(((struct meta_bootstrap *)out)->low));
    return status;
}

static void a_bootstrap_tells(void **state)
{
    struct meta_bootstrap b;
    assert_true(each_is_told(bootstrap, &b) > 0);
    assert_true(b.low < b.mean && b.mean < b.high);
}

static int by_group(void *out)
{
    enum { GROUPS = 4 };
    int label[GROUPS] = { 0, 0, 1, 1 };
    double query[GROUPS] = { .1, -.1, .2, -.2 }, part[META_PARTS * GROUPS];
    for (int i = 0; i < META_PARTS * GROUPS; i++) part[i] = query[i % GROUPS] / META_PARTS;
    struct meta_by_group g = { .tasks = 100, .count = GROUPS, .label = label, .query = query, .part = part };
    int status = meta_by_group_estimate(out, meta_estimate_with(.7, .01, 100), &g, &error);
    if (!status) assert_false(isnan(((struct meta_estimate *)out)->low));
    return status;
}

static void an_interval_of_other_groups_tells(void **state)
{
    struct meta_estimate e;
    assert_true(each_is_told(by_group, &e) > 1);
    assert_true(e.error > .01 && e.low < .7 && e.high > .7);
}

/* The AUC of the first tasks of a result, for a table and a report */
static int first_tasks(void *out)
{
    static const char text[] = "{\"tasks\": [{\"auc_after\": 0.5}, {\"auc_after\": 0.7}, {\"auc_after\": 1}]}";
    long kept = fails;
    fails = 0;
    cJSON *whole = cJSON_Parse(text);
    assert_non_null(whole);
    fails = kept;
    int status = meta_json_estimate_first(out, whole, 2, &error);
    kept = fails;
    fails = 0;
    cJSON_Delete(whole);
    fails = kept;
    return status;
}

static void the_first_tasks_tell(void **state)
{
    struct meta_estimate e;
    assert_true(each_is_told(first_tasks, &e) > 0);
    assert_int_equal(e.n, 2);
    assert_true(fabs(e.mean - .6) < 1e-12);
}

/* ---- the ROC curve ----------------------------------------------------------------------------------------------------------- */

static cJSON *result;

static int curve(void *points)
{
    int n = meta_report_mean_roc(points, result, &error);
    if (n >= 0) assert_int_equal(n, 2);
    return n < 0 ? -1 : 0;
}

static void a_curve_tells(void **state)
{
    double points[META_ROC_POINTS][4];
    assert_non_null(result = cJSON_Parse("{\"tasks\": [{\"ranks\": \"1010\"}, {\"ranks\": \"(01)\"}]}"));
    assert_true(each_is_told(curve, points) > 0);
    cJSON_Delete(result);
}

/* ---- images that can't be read ------------------------------------------------------------------------------------------------ */

/* A survey of images none of which can be read: each has a message, and none is forgotten. */
static int survey(void *context)
{
    struct meta_dataset *set;
    struct meta_survey found;
    const struct meta_dataset_source *source = context;
    struct meta_pool *pool = NULL;
    long kept = fails;
    fails = 0;
    if (meta_pool_create(&pool, 1, &error)) fail_msg("%s", error.text);
    fails = kept;
    int status = meta_dataset_survey(&set, &found, source, pool, &error);
    kept = fails;
    fails = 0;
    if (!status) {
        assert_int_equal(found.bad_count, 2);
        meta_survey_clear(&found);
        meta_dataset_free(set);
    }
    meta_pool_free(pool);
    fails = kept;
    return status;
}

/* What two lists share is told by these digests: none may be left out. */
static int digests(void *context)
{
    struct meta_dataset *set = context;
    struct meta_pool *pool = NULL;
    long kept = fails;
    fails = 0;
    if (meta_pool_create(&pool, 1, &error)) fail_msg("%s", error.text);
    fails = kept;
    int status = meta_dataset_digest(set, pool, &error);
    kept = fails;
    fails = 0;
    for (int i = 0; !status && i < 2; i++) assert_int_equal(set->digests[i].bytes, 6);
    meta_pool_free(pool);
    fails = kept;
    return status;
}

/* A file that is not there has none. */
static int digests_without_the_first(struct meta_dataset *set)
{
    struct meta_pool *pool;
    if (meta_pool_create(&pool, 1, &error)) fail_msg("%s", error.text);
    int status = meta_dataset_digest(set, pool, &error);
    assert_int_equal(set->digests[0].bytes, 0);
    meta_pool_free(pool);
    return status;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_survey_tells(void **state)
{
    char folder[] = "/tmp/lost_memory.XXXXXX", start[300];
    struct meta_data *data;
    assert_non_null(getcwd(start, sizeof start));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    write_text("a_1.pgm", "P5 no\n");
    write_text("b_1.pgm", "P5 no\n");
    write_text("labels", "a_\nb_\n");
    write_text("list", "a_1.pgm\nb_1.pgm\n");
    write_text("x.data", "classes=2\nlabels=labels\ntrain=list\n");
    if (meta_data_read(&data, "x.data", &error)) fail_msg("%s", error.text);
    struct meta_dataset_source source = { .data = data, .list = data->train, .width = 8, .height = 8, .channels = 1 };
    assert_true(each_is_told(survey, &source) > 4);
    struct meta_dataset *set;
    if (meta_dataset_outline(&set, data, data->train, &error)) fail_msg("%s", error.text);
    assert_true(each_is_told(digests, set) > 1);
    unlink(set->paths[0]);
    assert_int_equal(digests_without_the_first(set), 0);
    meta_dataset_free(set);
    meta_data_free(data);
    static const char *const files[] = { "a_1.pgm", "b_1.pgm", "labels", "list", "x.data" };
    for (int i = 0; i < 5; i++) unlink(files[i]);
    assert_int_equal(chdir(start), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "a bootstrap tells that it has no memory", a_bootstrap_tells, NULL, NULL, NULL },
        { "an interval of other groups tells that it has no memory", an_interval_of_other_groups_tells, NULL, NULL, NULL },
        { "the AUC of the first tasks tells that it has no memory", the_first_tasks_tell, NULL, NULL, NULL },
        { "an ROC curve tells that it has no memory", a_curve_tells, NULL, NULL, NULL },
        { "a survey and digests of images tell that they have no memory", a_survey_tells, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
