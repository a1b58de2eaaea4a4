#!/bin/bash
# A method of meta test is added with what CONTRIBUTING.md names, one file and one row, in a copy of the sources; it works,
# and help, flags, results and tables know it.
. tests/lib.sh
. tests/toy.sh
[ "$TEST_VARIANT" = release ] || { skip 'a new method of meta test' 'the list of files is that of the release build'; exit; }
a=$TMP_TEST/a tree=$TMP_TEST/tree
mkdir -p "$tree/build/release"
cp -a Makefile scripts plugins src "$tree"
cp -a "$BUILD/src" "$BUILD/flags" "$tree/build/release"
# The objects that the program opens when it runs
find "$DARKNET_DIR" -maxdepth 1 -name 'libdarknet-meta-*.so' -exec cp -a {} "$tree" \;
toy "$a"

cat >"$tree/src/evaluation/method_toy.c" <<'END_OF_C'
/* The method toy: the nearer the mean of a class's support images is, the likelier is the class. */
#include "method.h"

#include <stdio.h>
#include <stdlib.h>

struct settings { int every; };
struct toy { struct meta_method_context c; };

static const struct meta_method_flag flags[] = {
    { "-every", "N", "toy: every Nth pixel is looked at (1)", offsetof(struct settings, every), 0, 1, 100 },
    { NULL, NULL, NULL, 0, 0, 0, 0 }
};

static void defaults(void *settings, const struct meta_model *model, const struct meta_episode_settings *episode)
{
    ((struct settings *)settings)->every = 1;
}

static int every(const struct meta_evaluation *e) { return ((const struct settings *)e->settings)->every; }

static void describe(const struct meta_model *model, const struct meta_evaluation *e, char *text, size_t size)
{
    snprintf(text, size, "nearest mean, pixel step %d", every(e));
}

static void add_settings(cJSON *settings, const struct meta_model *model, const struct meta_evaluation *e)
{
    cJSON_AddNumberToObject(settings, "every", every(e));
}

static int create(void **state, const struct meta_method_context *c, struct meta_error *error)
{
    struct toy *t = *state = calloc(1, sizeof *t);
    if (!t) return meta_fail(error, "out of memory");
    t->c = *c;
    return 0;
}

static float distance(const float *query, const float *support, int shots, int numbers, int step)
{
    float sum = 0;
    for (int i = 0; i < numbers; i += step) {
        float mean = 0;
        for (int s = 0; s < shots; s++) mean += support[(size_t)s * numbers + i] / shots;
        sum += (query[i] - mean) * (query[i] - mean);
    }
    return sum;
}

static int run(void *state, const struct meta_method_task *t, double *before, double *after, struct meta_run *result,
               struct meta_error *error)
{
    const struct toy *toy = state;
    const struct meta_episode_settings *e = &toy->c.evaluation->episode;
    int n = meta_shape_numbers(toy->c.model->network->input);
    for (int q = 0; q < e->ways * e->queries; q++)
        for (int k = 0; k < e->ways; k++)
            after[q * e->ways + k] = -distance(t->task.query + (size_t)q * n, t->task.support + (size_t)k * e->shots * n,
                                               e->shots, n, every(toy->c.evaluation));
    return 0;
}

const struct meta_method meta_method_toy = {
    .name = "toy", .purpose = META_FOR_ANY,
    .settings_size = sizeof(struct settings), .flags = flags, .defaults = defaults,
    .describe = describe, .add_settings = add_settings,
    .create = create, .free = free, .run = run
};
END_OF_C
sed -i 's/^    ROW(prototype, meta_method_prototype)$/& \\\n    ROW(toy, meta_method_toy)/' "$tree/src/evaluation/methods.h"

check 'methods.h has the row of the new method' grep -q '^    ROW(toy, meta_method_toy)$' "$tree/src/evaluation/methods.h"
check 'a new method takes one new file and one changed file' test "$(diff -rq src "$tree/src" | wc -l)" -eq 2
# With -o make takes the copied objects as built with the switches of this build.
check 'the program with a new method builds without a warning' bash -c "cd '$tree' && env -u MAKEFLAGS -u MFLAGS make -s -o build/release/flags BUILD=build/release BIN=. darknet ./darknet 2>warnings && test ! -s warnings"
new=$tree/darknet
check 'meta train makes a network to test' train "$a" -max_batches 2 -valid_every 0
weights=$a/backup/toy_final.weights
toy_test() { local json=$1; shift; "$new" meta test "$a/toy.data" "$a/toy.cfg" "$weights" -out "$a/$json.json" "$@" >"$a/out" 2>"$a/err"; }
check 'meta test runs the new method' toy_test toy -method toy
check 'meta test prints what the new method does' grep -q 'a class, nearest mean, pixel step 1, seed 1$' "$a/out"
check 'meta test prints the AUC of the new method' grep -Eq '^AUC after +0\.[0-9]+ ' "$a/out"
check 'meta test prints no AUC before, as the new method adapts nothing' bash -c "! grep -q before '$a/out'"
check 'the result names the new method' grep -Eq '"method":[[:space:]]*"toy"' "$a/toy.json"
check 'the result has the settings of the new method' grep -Eq '"every":[[:space:]]*1,' "$a/toy.json"
check 'meta test reads the flag of the new method' toy_test every -method toy -every 5
check 'the flag of the new method changes the result' differ "$a/toy.json" "$a/every.json"
check "the result has the value of the new method's flag" grep -Eq '"every":[[:space:]]*5,' "$a/every.json"
check 'the new method runs on three threads' toy_test three -method toy -threads 3
check 'the new method gives the same result on three threads' same "$a/toy.json" "$a/three.json"
check 'meta compare pairs the new method with MAML' bash -c "'$new' meta test '$a/toy.data' '$a/toy.cfg' '$weights' -out '$a/maml.json' >'$a/out' && '$new' meta compare '$a/maml.json' '$a/toy.json' | grep -q ', toy\$'"
expect_error '-every 0: must be 1 to 100' "$new" meta test "$a/toy.data" "$a/toy.cfg" "$weights" -method toy -every 0
expect_error '-every: -method maml does not read it; allowed with toy' "$new" meta test "$a/toy.data" "$a/toy.cfg" "$weights" -every 2
expect_error '-neighbours: -method toy does not read it; allowed with knn' "$new" meta test "$a/toy.data" "$a/toy.cfg" "$weights" -method toy -neighbours 2
expect_error '-method x: must be maml, finetune, knn, svm, colour, relation, prototype or toy$' "$new" meta test "$a/toy.data" "$a/toy.cfg" "$weights" -method x
expect_output '^    -method NAME +maml, finetune, knn, svm, colour, relation, prototype or toy \(maml;' "$new" meta test -h
expect_output '^    -every N +toy: every Nth pixel is looked at \(1\)$' "$new" meta test -h
printf '[table]\nname=t\ndata=%s\n[row]\nlabel=x\ncfg=%s\nmethod=x\nshots=1\n' "$a/toy.data" "$a/toy.cfg" >"$a/t.table"
expect_error 'method=x: must be .*toy' "$new" meta table "$a/t.table" -out "$a/table"
