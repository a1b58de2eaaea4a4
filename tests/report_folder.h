/* A small folder of `meta table`, written anew for a test program and read as a report. Include it
   behind cmocka.h; make_report and remove_report are the set-up and the tear-down of the program's
   group. */
#ifndef TESTS_REPORT_FOLDER_H
#define TESTS_REPORT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "paper/report/report_data.h"

enum { ROWS = 8, CELLS = 12, FIRST_ID = 100 };
static const char *const labels[ROWS] = { "A*B|C", "base, seed 1", "base, seed 2", "plain, seed 1",
                                          "plain, seed 2", "plain, seed 3", "aug, seed 1",
                                          "aug, seed 2" };
/* A cell's id is FIRST_ID plus its index. */
static const struct planned {
    int row, shots;
    const char *family;
    int paired_with;               /* a row, or -1 */
    double paper;                  /* 0: none */
    double auc;                    /* 0: no result */
    double difference;             /* to the reference's result; 0: none */
    int difference_id;             /* of the result that the difference was made from */
} cells[CELLS] = {
    { 0, 1, "", -1, .75, 0, 0, 0 },                    /* in training */
    { 0, 5, "", 1, .8, .81, .11, FIRST_ID + 2 },
    { 1, 5, "base", -1, 0, .7, 0, 0 },
    { 2, 5, "base", -1, 0, .74, 0, 0 },
    { 3, 5, "plain", 1, 0, .76, .06, FIRST_ID + 2 },
    { 4, 5, "plain", 2, 0, .82, .08, FIRST_ID + 3 },
    { 5, 5, "plain", 2, 0, 0, 0, 0 },                  /* its result has another id */
    { 6, 5, "aug", 1, 0, .71, .01, FIRST_ID + 2 },
    { 7, 5, "aug", 1, 0, .73, .03, FIRST_ID + 2 },
    { 6, 1, "aug", -1, 0, .6, 0, 0 },
    { 7, 1, "aug", 2, 0, .65, .05, FIRST_ID + 50 },    /* the reference was run again since */
    { 2, 1, "base", -1, 0, .62, 0, 0 },
};
enum { STALE = 6 };

static char folder[256];
static struct meta_report *report;
static const struct meta_report_table *table;

static void write_file(const char *name, const char *text)
{
    char path[512];
    struct meta_error error;
    struct meta_chunk chunk = { text, strlen(text) };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
}

static void write_plan(void)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("{\"program\": \"darknet meta table\", \"format\": 2, "
          "\"name\": \"Small & \\\"fine\\\" <b>\", \"file\": \"small.table\", "
          "\"data\": \"small.data\", \"needs\": \"\", \"reference\": \"base\", \"seed\": 9, "
          "\"runs\": 4, \"first\": 2, \"columns\": [1, 5], \"rows\": [", f);
    for (int i = 0; i < ROWS; i++) fprintf(f, "%s\"%s\"", i ? ", " : "", labels[i]);
    fputs("], \"cells\": [", f);
    for (int i = 0; i < CELLS; i++) {
        const struct planned *c = &cells[i];
        fprintf(f, "%s{\"row\": %d, \"shots\": %d, \"family\": \"%s\", \"paired_with\": \"%s\", ",
                i ? ",\n" : "", c->row, c->shots, c->family,
                c->paired_with < 0 ? "" : labels[c->paired_with]);
        if (c->paper) fprintf(f, "\"paper\": %g, ", c->paper);
        fprintf(f, "\"cfg\": \"a.cfg\", \"method\": \"maml\", \"train\": \"train\", \"seed\": 3, "
                "\"result\": \"cell-%d.json\", \"id\": %d, \"log\": \"log-%d.csv\", "
                "\"iterations\": 10}", i, FIRST_ID + i, i);
    }
    fputs("]}\n", f);
    fclose(f);
    write_file("small.json", text);
    free(text);
}

/* Tasks score auc-.02 and auc+.02 in turn; the intervals are round numbers, not those of the tasks.
   */
static void write_result(int index)
{
    const struct planned *c = &cells[index];
    char name[32], *text;
    size_t size;
    double auc = index == STALE ? .5 : c->auc;
    FILE *f = open_memstream(&text, &size);
    fprintf(f, "{\"program\": \"darknet meta test\", \"auc_after\": {\"mean\": %g, "
            "\"standard_error\": 0.01, \"low\": %g, \"high\": %g, \"tasks\": 4},\n",
            auc, auc - .03, auc + .03);
    if (index == 1)
        fputs("\"accuracy_after\": {\"mean\": 0.75, \"low\": 0.7, \"high\": 0.8, \"tasks\": 4},\n", f);
    fputs("\"tasks\": [", f);
    for (int i = 0; i < 4; i++)
        fprintf(f, "%s{\"auc_after\": %g, \"ranks\": \"%s\"}", i ? ", " : "",
                auc + (i % 2 ? .02 : -.02), i % 2 ? "1100" : "1(10)0");
    fputs("],\n\"pairs\": [{\"classes\": [\"x<y\", \"z\"], "
          "\"auc_before\": {\"mean\": 0.5, \"tasks\": 4}, "
          "\"auc_after\": {\"mean\": 0.7, \"low\": 0.6, \"high\": 0.8, \"tasks\": 4}}],\n", f);
    if (index == 1) fputs("\"other_groups\": {\"redrawn\": \"query and support\", \"low\": 0.72, \"high\": 0.9},\n", f);
    fprintf(f, "\"table\": {\"id\": %d, \"test_seconds\": 3", FIRST_ID + index + (index == STALE));
    if (c->difference) {
        fprintf(f, ", \"difference\": {\"reference\": \"%s\", \"id\": %d, \"mean\": %g, "
                "\"low\": %g, \"high\": %g, \"word\": \"better\"",
                labels[c->paired_with], c->difference_id,
                c->difference, c->difference - .005, c->difference + .005);
        if (index == 1)
            fputs(", \"other_groups\": {\"redrawn\": \"query and support\", \"low\": -0.01, \"high\": 0.23, "
                  "\"word\": \"no difference seen\"}", f);
        fputs("}", f);
    }
    fputs("}}\n", f);
    fclose(f);
    snprintf(name, sizeof name, "cell-%d.json", index);
    write_file(name, text);
    free(text);
}

static int make_report(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    struct meta_error error;
    snprintf(folder, sizeof folder, "%s/report.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    write_plan();
    for (int i = 0; i < CELLS; i++)
        if (cells[i].auc || i == STALE) write_result(i);
    write_file("log-0.csv", "iteration,meta_loss,query_loss,accuracy,rate,seconds,waited,"
               "valid_auc,valid_low,valid_high\n1,0.7,0.7,0.5,0.001,1,0,,,\n"
               "2,0.6,0.6,0.6,0.001,1,0,,,\n3,0.5,0.5,0.7,0.001,1,0,,,\n");
    if (meta_report_read(&report, folder, NULL, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return -1;
    }
    table = report->tables;
    return 0;
}

static int remove_report(void **state)
{
    char command[300];
    meta_report_free(report);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
