/* A table from its file: rows, families, cells, columns, and the reference that each is paired
 * with. */
#define _GNU_SOURCE
#include "table_files.h"
#include <math.h>
#include <zlib.h>

/* ---- the file ---- */

static void rows_and_cells(void **state)
{
    write_files(ROW_M "shots=5,1\npaper=80.5,60\n" ROW_D "shots=1,5,3\nseed=7\n"
                      "\n[row]\nlabel=Given\ncfg=m.cfg\ntrain=none\nweights=x.data\nmethod="
                      "finetune\nepochs=9\nshots=1\n");
    struct meta_table *t = read_table();
    assert_string_equal(t->name, "A table");
    assert_string_equal(t->slug, "x");
    assert_string_equal(t->folder, "out");
    assert_int_equal(t->sources[0].missing, 0);
    assert_int_equal(t->sources[0].has_valid, 0);
    assert_int_equal(t->row_count, 3);
    assert_int_equal(t->column_count, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(t->columns[i], 2 * i + 1);
    static const struct {
        const char *label, *name, *file;
        int shots;
        double paper;
    } cells[] = {
        { "M", "x-m-5.json", "out/x-m-5.json", 5, 80.5 },
        { "D", "x-d-5.json", "out/x-d-5.json", 5, NAN },
        { "M", "x-m-1.json", "out/x-m-1.json", 1, 60 },
        { "D", "x-d-1.json", "out/x-d-1.json", 1, NAN },
        { "Given", "x-given-1.json", "out/x-given-1.json", 1, NAN },
        { "D", "x-d-3.json", "out/x-d-3.json", 3, NAN },
    };
    assert_int_equal(t->cell_count, 6);
    for (int i = 0; i < 6; i++) {
        const struct meta_cell *c = &t->cells[i];
        assert_string_equal(c->row->label, cells[i].label);
        assert_string_equal(c->name, cells[i].name);
        assert_string_equal(c->file, cells[i].file);
        assert_int_equal(c->shots, cells[i].shots);
        assert_true(isnan(cells[i].paper) ? isnan(c->paper) : c->paper == cells[i].paper);
        assert_int_equal(c->id, crc32(0, (const void *)c->key, strlen(c->key)));
        assert_int_equal(!c->recipe, c->row->train == META_TABLE_NONE);
        if (c->recipe) assert_int_equal(c->recipe->shots, c->shots);
    }
    assert_string_equal(meta_row_method_name(t->rows[0].method), "maml");
    assert_string_equal(meta_row_method_name(t->rows[2].method), "finetune");
    assert_string_equal(meta_table_training_name(t->rows[1].train), "train");
    assert_string_equal(meta_table_training_name(t->rows[2].train), "none");
    assert_int_equal(meta_table_seed(t, &t->rows[0]), 3);
    assert_int_equal(meta_table_seed(t, &t->rows[1]), 7);
    meta_table_free(t);
}

/* Without the data there are cells, and no keys. */
static void without_data(void **state)
{
    struct meta_table *t;
    write_files(ROW_M "shots=5\n");
    assert_int_equal(meta_table_read(&t, "x.table", "out", "none.data", &error), -1);
    assert_string_equal(error.text,
                        "x.table: data=none.data: can't be read, and needs= doesn't say what it "
                        "is");
    change("x.table", "first=2\n", "first=2\nneeds=the images\n");
    if (meta_table_read(&t, "x.table", "out", "none.data", &error)) fail_msg("%s", error.text);
    assert_int_equal(t->sources[0].missing, 1);
    assert_string_equal(t->data, "none.data");
    assert_string_equal(t->needs, "the images");
    assert_int_equal(t->recipe_count, 0);
    assert_int_equal(t->cell_count, 1);
    assert_null(t->cells[0].key);
    assert_null(t->cells[0].recipe);
    assert_string_equal(t->cells[0].name, "x-m-5.json");
    meta_table_free(t);
}

static void refuses(const char *rows, const char *expected)
{
    struct meta_table *t;
    write_files(rows);
    if (!meta_table_read(&t, "x.table", "out", NULL, &error))
        fail_msg("accepted; should say: %s", expected);
    assert_string_equal(error.text, expected);
}

/* A seed makes a row of its own, which holds the list: a thousand are a million numbers. */
static void more_seeds_than_a_table_takes(void **state)
{
    static char row[9000] = "\n[row]\nlabel=M\ncfg=m.cfg\nshots=1\nseed=0";
    for (int i = 1; i <= 1000; i++) sprintf(row + strlen(row), ",%d", i);
    strcat(row, "\n");
    refuses(row, "x.table:9: [row] seed: has more than 1000 numbers");
    refuses(ROW_M "shots=1\nseed=1,2147483648\n",
            "x.table:13: [row] seed=1,2147483648: must be whole numbers, 0 to 2147483647, separated by commas");
}

static void refusals(void **state)
{
    refuses("", "x.table: has no [row]");
    refuses(ROW_D "shots=1\n", "x.table:1: [table] reference=M: no row has that label");
    refuses("\n[row]\ncfg=m.cfg\nshots=1\n", "x.table:9: [row] label: must be there");
    refuses("\n[row]\nlabel=M\nshots=1\n", "x.table:9: [row] cfg: must be there");
    refuses(ROW_M, "x.table:9: [row] shots: must be there");
    refuses(ROW_M "shots=1,2\npaper=50\n",
            "x.table:9: [row] paper: must have a figure for each of shots");
    refuses(ROW_M "shots=1\ntrain=none\n", "x.table:9: [row] train=none: needs weights");
    refuses(ROW_M "shots=1\nweights=w\n", "x.table:9: [row] weights: only with train=none");
    refuses(ROW_M "shots=1\neach=0\ntrain=pretrain\n",
            "x.table:9: [row] each: only with train=train");
    refuses(ROW_M "shots=1\ntrain=none\nweights=w\nseed=1\n",
            "x.table:9: [row] seed: is of a training, and train=none has none");
    refuses(ROW_M "shots=1\nepochs=1\n", "x.table:9: [row] epochs: only with method=finetune");
    refuses(ROW_M "shots=1,2,1\n", "x.table:9: [row] shots: has a number twice");
    refuses(ROW_M "shots=1\nseed=4,4\n", "x.table:9: [row] seed: has a number twice");
    refuses(ROW_M "shots=1\n" ROW_M "shots=2\n",
            "x.table:14: [row] label=M: repeated; first on line 9");
    refuses(ROW_M "shots=1\n\n[row]\nlabel=m!\ncfg=m.cfg\nshots=1\n",
            "x.table:14: [row] label=m!: as a file's name it is the same as M");
    refuses(ROW_M "shots=1\nmethod=relation\n",
            "x.table:9: [row] method=relation: m.cfg: has no [relation], which -method relation "
            "needs");
    refuses(ROW_M "shots=1\ntrain=none\nweights=w\n", "w: No such file or directory");
    refuses("\n[line]\n", "x.table:9: [line]: must be [row]");
    struct meta_table *t;
    write_text("other.cfg", NET);
    change("other.cfg", "queries=4", "queries=6");
    refuses(ROW_M "shots=1\n\n[row]\nlabel=O\ncfg=other.cfg\nshots=1\n",
            "x.table:14: [row] cfg=other.cfg: its tasks have ways=2 and queries=6, those of line 9 "
            "2 and 4: must be equal");
    write_files(ROW_M "shots=1\n");
    change("x.data", "test=test.list\n", "");
    assert_int_equal(meta_table_read(&t, "x.table", "out", NULL, &error), -1);
    assert_string_equal(error.text, "x.data: has no test=");
    write_text("x.table", "[row]\nlabel=M\n");
    assert_int_equal(meta_table_read(&t, "x.table", "out", NULL, &error), -1);
    assert_string_equal(error.text, "x.table: must begin with [table]");
}

/* ---- families ---- */

static const char *reference_of(const struct meta_table *t, const char *label, int shots)
{
    const struct meta_cell *reference = meta_table_reference(t, cell_of(t, label, shots));
    if (reference) assert_int_equal(reference->shots, shots);
    return reference ? reference->row->label : "none";
}

static void families(void **state)
{
    static const char *const order[] = { "M, seed 4", "D, seed 9", "Alone",
                                         "M, seed 3", "D, seed 4", "M, seed 9",
                                         "M, seed 4", "M, seed 3", "M, seed 9" };
    write_files(ROW_M "seed=4,3,9\nshots=2,1\n" ROW_D "seed=9,4\nshots=2\n\n[row]\nlabel="
                      "Alone\ncfg=d9.cfg\nshots=2\n");
    struct meta_table *t = read_table();
    assert_int_equal(t->row_count, 6);
    assert_int_equal(t->cell_count, 9);
    for (int i = 0; i < 9; i++) {
        assert_string_equal(t->cells[i].row->label, order[i]);
        assert_int_equal(t->cells[i].shots, i < 6 ? 2 : 1);
    }
    const struct meta_table_row *row = cell_of(t, "M, seed 9", 1)->row;
    assert_string_equal(row->family, "M");
    assert_int_equal(row->nth, 2);
    assert_int_equal(meta_table_seed(t, row), 9);
    assert_true(meta_row_has_label(row, "M") && meta_row_has_label(row, "M, seed 9"));
    assert_false(meta_row_has_label(row, "M, seed 4"));
    assert_null(cell_of(t, "Alone", 2)->row->family);
    assert_string_equal(cell_of(t, "D, seed 4", 2)->name, "x-d-seed-4-2.json");
    assert_string_equal(reference_of(t, "D, seed 9", 2), "M, seed 9");
    assert_string_equal(reference_of(t, "D, seed 4", 2), "M, seed 4");
    assert_string_equal(reference_of(t, "Alone", 2), "M, seed 3"); /* by [table] seed */
    assert_string_equal(reference_of(t, "M, seed 4", 2), "none");
    meta_table_free(t);
    change("x.table", "reference=M\n", "reference=M, seed 9\n");
    t = read_table();
    assert_string_equal(reference_of(t, "D, seed 4", 2), "M, seed 9");
    assert_string_equal(reference_of(t, "M, seed 4", 1), "M, seed 9");
    assert_string_equal(reference_of(t, "M, seed 9", 1), "none");
    meta_table_free(t);
    change("x.table", "reference=M, seed 9\n", "");
    t = read_table();
    assert_string_equal(reference_of(t, "D, seed 4", 2), "none");
    meta_table_free(t);
}

/* A row that is asked otherwise than the reference is paired with what of the reference is asked so,
   and with no row of another method or .cfg. */
static void what_stands_for_the_reference(void **state)
{
    static const char averaged[] = "shots=2\ntrain=train\ntested=average\n";
    char *rows;
    write_files("");
    change("m.cfg", "learning_rate=0.01\n", "learning_rate=0.01\naverage=0.9\n");
    write_text("e.cfg", NET "[meta_loss]\ntype=mean\n");
    change("e.cfg", "learning_rate=0.01\n", "learning_rate=0.01\naverage=0.9\n");
    if (asprintf(&rows,
                 "[table]\nname=A table\ndata=x.data\nseed=3\nruns=4\nfirst=2\nreference=M\n" ROW_M
                 "shots=2\n\n[row]\nlabel=KNN\ncfg=m.cfg\nmethod=knn\ntrain=train\nshots=2\n"
                 "\n[row]\nlabel=KNN averaged\ncfg=m.cfg\nmethod=knn\n%s"
                 "\n[row]\nlabel=SVM averaged\ncfg=m.cfg\nmethod=svm\n%s"
                 "\n[row]\nlabel=E averaged\ncfg=e.cfg\n%s",
                 averaged, averaged, averaged)
        < 0)
        fail();
    write_text("x.table", rows);
    struct meta_table *t = read_table();
    assert_ptr_equal(cell_of(t, "SVM averaged", 2)->recipe, cell_of(t, "M", 2)->recipe);
    assert_ptr_equal(cell_of(t, "E averaged", 2)->recipe, cell_of(t, "M", 2)->recipe);
    assert_string_equal(reference_of(t, "KNN", 2), "M");
    assert_string_equal(reference_of(t, "KNN averaged", 2), "M");
    assert_string_equal(reference_of(t, "SVM averaged", 2), "M");
    assert_string_equal(reference_of(t, "E averaged", 2), "M");
    meta_table_free(t);
    change("x.table", "label=E averaged\ncfg=e.cfg", "label=M averaged\ncfg=m.cfg");
    t = read_table();
    assert_string_equal(reference_of(t, "SVM averaged", 2), "M averaged");
    assert_string_equal(reference_of(t, "M averaged", 2), "M");
    meta_table_free(t);
    free(rows);
}

/* An ensemble stands for the reference where all its trainings are of that. */
static void ensembles(void **state)
{
    write_files(ROW_M "seed=4,3\nshots=2\n" ROW_D "seed=4,3\nshots=2\nensemble=1\n"
                      "\n[row]\nlabel=Two\ncfg=m.cfg\nseed=4,8\nshots=2\nensemble=1\n");
    struct meta_table *t = read_table();
    assert_string_equal(reference_of(t, "D", 2), "M, seed 4");
    assert_string_equal(reference_of(t, "Two", 2), "M, seed 4");
    meta_table_free(t);
    change("x.table", "seed=4,8", "seed=4,3");
    t = read_table();
    assert_string_equal(reference_of(t, "D", 2), "Two");
    assert_string_equal(reference_of(t, "Two", 2), "M, seed 4");
    meta_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_cells),
        cmocka_unit_test(without_data),
        cmocka_unit_test(more_seeds_than_a_table_takes), cmocka_unit_test(refusals),
        cmocka_unit_test(families),
        cmocka_unit_test(what_stands_for_the_reference),
        cmocka_unit_test(ensembles),
    };
    return cmocka_run_group_tests_name("table", tests, set_up, tear_down);
}
