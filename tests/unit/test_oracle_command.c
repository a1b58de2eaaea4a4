#define _GNU_SOURCE
/* `darknet meta grad` itself over tests/oracle: the file and the line it writes. */
#include "oracle.h"
#include <sys/wait.h>
#include "config/model.h"
#include "learning/rates_file.h"
#include "network/tie.h"

struct run { const char *name, *backend; double limit; };

/* Standard output in `out`; fails the test unless the program ends with status 0. */
static void grad(const struct oracle_case *c, const struct run *run, const char *to, char *out, size_t size)
{
    const char *darknet = getenv("DARKNET_BIN");
    char command[2000], errors[400];
    snprintf(errors, sizeof errors, "%s.err", to);
    snprintf(command, sizeof command, "'%s' meta grad " ORACLE "/oracle.data %s '%s' -episode %s -out '%s' -iteration %ld%s%s 2>'%s'",
             darknet ? darknet : "./darknet", c->cfg, c->weights, c->episode, to, c->iteration, run->backend ? " -backend " : "",
             run->backend ? run->backend : "", errors);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = 0;
    int status = pclose(f);
    struct meta_error error;
    char *told = NULL;
    size_t told_size;
    if (meta_file_read(errors, &told, &told_size, &error)) fail_msg("%s", error.text);
    unlink(errors);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("status %d of: %s\n%s", status, command, told);
    assert_string_equal(told, "");
    free(told);
}

/* One line, an object of these four keys in this order, each number with all its digits. */
static void read_line(char *line, struct oracle_figures *figures)
{
    const char *keys[] = { "support_loss", "query_loss", "meta_loss", "weight" };
    char again[4096], *end = strchr(line, '\n');
    size_t used = 0;
    if (!end || end[1]) fail_msg("not one line: %s", line);
    cJSON *json = cJSON_Parse(line);
    assert_non_null(json);
    assert_int_equal(cJSON_GetArraySize(json), 4);
    for (int k = 0; k < 4; k++) assert_string_equal(cJSON_GetArrayItem(json, k)->string, keys[k]);
    oracle_read_figures(json, figures);
    cJSON_Delete(json);
    used += sprintf(again + used, "{\"support_loss\": [");
    for (int s = 0; s < figures->steps; s++) used += sprintf(again + used, "%s%.17g", s ? ", " : "", figures->support_loss[s]);
    sprintf(again + used, "], \"query_loss\": %.17g, \"meta_loss\": %.17g, \"weight\": %.17g}\n", figures->query_loss, figures->meta_loss, figures->weight);
    assert_string_equal(line, again);
}

/* (c->count), in .weights order; the header must be 0 2, the revision of gradients, and 8 bytes of 0. */
static double *read_gradient(const struct oracle_case *c, const char *path)
{
    static const int header[5] = { 0, 2, 0x4d470000, 0, 0 };
    struct meta_error error;
    char *data;
    size_t size;
    if (meta_file_read(path, &data, &size, &error)) fail_msg("%s", error.text);
    assert_int_equal(size, sizeof header + 4 * c->count);
    assert_memory_equal(data, header, sizeof header);
    double *got = malloc(c->count * sizeof *got);
    for (size_t i = 0; i < c->count; i++) {
        float x;
        memcpy(&x, data + sizeof header + 4 * i, 4);
        got[i] = x;
    }
    free(data);
    return got;
}

/* The derivatives by learned rates lie beside the gradient. */
static void check_rates(const struct meta_model *model, const struct oracle_case *c, const char *to, double limit)
{
    struct meta_error error;
    float *value;
    char *path = meta_rates_path(to);
    assert_int_equal(meta_rates_exist(to), c->rate_count != 0);
    if (c->rate_count) {
        if (meta_rates_load(model->network, meta_rates_how_of(model->inner), to, &value, &error)) fail_msg("%s", error.text);
        double *got = malloc(c->rate_count * sizeof *got), distance;
        for (size_t i = 0; i < c->rate_count; i++) got[i] = value[i];
        distance = oracle_rates_distance(got, c);
        if (!(distance <= limit)) fail_msg("the derivatives by the rates differ by %.2e of their norm", distance);
        free(got);
        free(value);
        unlink(path);
    }
    free(path);
}

static void writes_the_gradient(void **state)
{
    const struct run *run = *state;
    struct oracle_case c;
    struct oracle_figures figures;
    struct meta_model *model;
    struct meta_error error;
    char to[320], line[4096];
    oracle_open(&c, run->name);
    snprintf(to, sizeof to, "%s.gradient", c.weights);
    if (meta_model_load(&model, c.cfg, &error)) fail_msg("%s", error.text);
    grad(&c, run, to, line, sizeof line);
    read_line(line, &figures);
    oracle_compare_figures(&figures, &c, run->limit);
    double *got = read_gradient(&c, to);
    struct meta_tie *tie;          /* of rotations: a .weights file has all turns */
    if (meta_tie_create(&tie, model->network, &error)) fail_msg("%s", error.text);
    struct oracle_distance d = oracle_compare(tie ? tie->full : model->network, got, &c);
    meta_tie_free(tie);
    if (!(d.whole <= run->limit)) fail_msg("the gradient differs by %.2e of its norm", d.whole);
    if (!(d.worst <= run->limit)) fail_msg("%s differ by %.2e of their norm", d.where, d.worst);
    free(got);
    check_rates(model, &c, to, run->limit);
    unlink(to);
    meta_model_free(model);
    oracle_close(&c);
}

int main(void)
{
    const char *variant = getenv("TEST_VARIANT");
    int slow = variant && strcmp(variant, "release"), count = 0;
    static char **names;           /* for the life of the program */
    int cases = oracle_list(&names);
    static struct CMUnitTest *tests;
    tests = calloc(cases + 2, sizeof *tests);
    static struct run *runs;
    runs = calloc(cases + 2, sizeof *runs);
    for (int i = 0; i < cases; i++) {
        if (slow && (i % 4 || !strcmp(names[i], "daml_4conv"))) continue;
        runs[count] = (struct run){ names[i], NULL, 1e-6 };
        tests[count] = (struct CMUnitTest){ names[i], writes_the_gradient, NULL, NULL, &runs[count] };
        count++;
    }
    runs[count] = (struct run){ "order2", "onednn", 1e-4 };
    tests[count] = (struct CMUnitTest){ "order2 with -backend onednn", writes_the_gradient, NULL, NULL, &runs[count] };
    return _cmocka_run_group_tests("oracle_command", tests, count + 1, NULL, NULL);
}
