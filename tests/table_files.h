/* A table for tests in a folder of its own, which is the current one: a network, lists of files that
   stand for images, and the .table. */
#ifndef TESTS_TABLE_FILES_H
#define TESTS_TABLE_FILES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "paper/table/table_read.h"
#include "paper/table/table_result.h"

static struct meta_error error;

static void write_text(const char *path, const char *text)
{
    char *in = meta_path_folder(path);
    if (meta_path_make_folder(in, &error)) fail_msg("%s", error.text);
    free(in);
    unlink(path); /* ext4 syncs a file that is truncated and written again */
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f)) fail_msg("%s: can't write", path);
}

/* The caller frees. */
static __attribute__((noinline)) char *read_text(const char *path)
{
    char *text;
    size_t size;
    if (meta_file_read(path, &text, &size, &error)) fail_msg("%s", error.text);
    return text;
}

/* Puts `now` in the place of `before`, which the file has once. */
static __attribute__((unused)) void change(const char *path, const char *before, const char *now)
{
    char *text = read_text(path), *at = strstr(text, before), *made = NULL;
    if (!at || strstr(at + 1, before)) fail_msg("%s: has not once: %s", path, before);
    if (asprintf(&made, "%.*s%s%s", (int)(at - text), text, now, at + strlen(before)) < 0) fail();
    write_text(path, made);
    free(made);
    free(text);
}

#define NET                                                                                        \
    "[net]\nwidth=8\nheight=8\nchannels=1\nlearning_rate=0.01\nmax_batches=12\n\n"                 \
    "[episode]\nways=2\nshots=3\nqueries=4\ntasks=5\n\n"                                           \
    "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=relu\n\n"                     \
    "[connected]\noutput=2\nactivation=linear\n\n[softmax]\n\n"                                    \
    "[inner_loop]\nsteps=2\ntest_steps=3\nlearning_rate=0.1\n\n"
#define LOSS "[meta_loss]\ntype=difficulty\neta=2\n"

#define ROW_M "\n[row]\nlabel=M\ncfg=m.cfg\n"
#define ROW_D "\n[row]\nlabel=D\ncfg=d5.cfg\n"

#define TWO                                                                                        \
    "\n[row]\nlabel=M\ncfg=m.cfg\nshots=5\npaper=62.5\n\n[row]\nlabel=D\ncfg=d5.cfg\nshots=5\n"
#define HEAD                                                                                       \
    "iteration,meta_loss,query_loss,accuracy,rate,seconds,waited,valid_auc,valid_low,valid_high\n"

/* m.cfg weighs no task; d5.cfg and d9.cfg weigh theirs from iterations 5 and 9 on. */
static void write_files(const char *rows)
{
    char *table;
    if (system("rm -rf out")) fail();
    write_text("m.cfg", NET "[meta_loss]\ntype=mean\n");
    write_text("d5.cfg", NET LOSS "start=5\n");
    write_text("d9.cfg", NET LOSS "start=9\n");
    write_text("labels", "one_\ntwo_\n");
    for (int i = 0; i < 4; i++) {
        char one[] = "one_0.png", two[] = "two_0.png";
        one[4] = two[4] = '0' + i;
        write_text(one, one);
        write_text(two, two);
    }
    write_text("train.list", "one_1.png\ntwo_1.png\n");
    write_text("test.list", "one_2.png\ntwo_2.png\n");
    write_text("groups.csv", "image,group\none_1,1\ntwo_1,2\none_2,3\ntwo_2,4\n");
    write_text("x.data",
               "classes=2\nlabels=labels\ntrain=train.list\ntest=test.list\n"
               "groups=groups.csv\nbackup=backup\n");
    if (asprintf(&table,
                 "[table]\nname=A table\ndata=x.data\nseed=3\nruns=4\nfirst=2\nreference=M\n%s",
                 rows)
        < 0)
        fail();
    write_text("x.table", table);
    free(table);
}

/* The caller frees. */
static __attribute__((unused)) struct meta_table *read_table(void)
{
    struct meta_table *t;
    if (meta_table_read(&t, "x.table", "out/", NULL, &error)) fail_msg("%s", error.text);
    return t;
}

static __attribute__((unused)) const struct meta_cell *cell_of(const struct meta_table *t,
                                                               const char *label, int shots)
{
    for (int i = 0; i < t->cell_count; i++)
        if (!strcmp(t->cells[i].row->label, label) && t->cells[i].shots == shots)
            return &t->cells[i];
    fail_msg("no cell of %s with %d shots", label, shots);
    return NULL;
}

/* What `meta test` would have written: four tasks of these AUCs, with the members that a table
 * needs. */
static __attribute__((unused)) void write_result(const char *path, double a, double b, double c,
                                                 double d)
{
    char text[1000], *to = text;
    double auc[] = { a, b, c, d };
    to += sprintf(to,
                  "{\"program\":\"darknet meta "
                  "test\",\"format\":2,\"files\":{\"cfg\":{\"path\":\"m.cfg\"},"
                  "\"weights\":{\"path\":\"w\"}},\"settings\":{\"method\":\"maml\",\"seed\":\"3\","
                  "\"runs\":4},\"tasks\":[");
    for (int i = 0; i < 4; i++)
        to += sprintf(to,
                      "%s{\"run\":%d,\"auc_before\":0.5,\"auc_after\":%.17g,\"images\":"
                      "\"0000000000000000000000000000000%d\"}",
                      i ? "," : "", i, auc[i], i);
    strcpy(to, "]}");
    write_text(path, text);
}

static __attribute__((unused)) void finish(const struct meta_table *t, int cell, double a, double b,
                                           double c, double d)
{
    const struct meta_cell *of = &t->cells[cell];
    write_text(of->recipe->csv, HEAD "1,1,3,0.5,0.01,2,0,,,\n2,2,4,1,0.01,3,0,.75,.7,.8\n");
    write_result("written", a, b, c, d);
    if (meta_cell_finish(t, of, "written", 12, 34, &error)) fail_msg("%s", error.text);
}

static char start[4096], folder[300];

static int set_up(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/table.XXXXXX", tmp ? tmp : "/tmp");
    return !getcwd(start, sizeof start) || !mkdtemp(folder) || chdir(folder) ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir(start) || system(command) ? -1 : 0;
}

#endif
