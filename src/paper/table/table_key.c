/* What a training's weights and a test's figures depend on, as text: kept in results, and compared to tell whether they still hold. */
#include "table.h"
#include "tasks/data_file.h"
#include "training/fingerprint.h"
#include "base/checksum.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* To be raised when the same settings would give other figures. */
#define FORMAT 1

uint32_t meta_table_id(const char *key) { return crc32(crc32(0, NULL, 0), (const Bytef *)key, strlen(key)); }

static int write_sum(FILE *f, const char *what, const char *path, struct meta_error *error)
{
    uint32_t crc;
    size_t size;
    if (meta_checksum_file(path, &crc, &size, error)) return -1;
    fprintf(f, "check sum of %s=crc32:%08x\n", what, crc);
    return 0;
}

/* The list, and what tells its images' classes and groups. */
static int write_list(FILE *f, const struct meta_table *t, int test, struct meta_error *error)
{
    struct meta_data *data;
    if (meta_data_read(&data, t->data, error)) return -1;
    const char *list = test ? data->test : data->train, *name = test ? "test" : "train";
    int status = -1;
    if (!list) { meta_fail(error, "%s: has no %s=", t->data, name); goto done; }
    if (write_sum(f, test ? "the test list" : "the training list", list, error)) goto done;
    if (data->groups && write_sum(f, test ? "the test's groups" : "the groups", data->groups, error)) goto done;
    for (int i = 0; i < data->classes; i++) fprintf(f, "label %d of the %s list=%s\n", i, name, data->labels[i]);
    status = 0;
done:
    meta_data_free(data);
    return status;
}

static int write_recipe(FILE *f, const struct meta_table *t, const struct meta_table_row *row, int shots, struct meta_error *error)
{
    fprintf(f, "format=%d\ntraining=%s\nseed of the training=%llu\n", FORMAT, meta_table_training_name(row->train),
            (unsigned long long)meta_table_seed(t, row));
    if (shots) fprintf(f, "shots in place of the .cfg's=%d\n", shots);
    return meta_fingerprint_cfg(f, row->cfg, 1, error) || write_list(f, t, 0, error) ? -1 : 0;
}

static int write_test(FILE *f, const struct meta_table *t, const struct meta_cell *c, struct meta_error *error)
{
    const struct meta_table_row *row = c->row;
    if (c->recipe) fputs(c->recipe->key, f);
    else {
        fprintf(f, "format=%d\n", FORMAT);
        if (write_sum(f, "the weights", row->weights, error) || meta_fingerprint_cfg(f, row->cfg, 1, error)) return -1;
    }
    fprintf(f, "method=%s\nshots=%d\ntasks=%d\nseed of the tasks=%d\n", meta_row_method_name(row->method), c->shots, t->runs, t->seed);
    if (row->epochs) fprintf(f, "epochs=%d\n", row->epochs);
    return write_list(f, t, 1, error);
}

int meta_table_recipe_key(char **key, const struct meta_table *t, const struct meta_table_row *row, int shots, struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    return meta_text_end(&text, write_recipe(text.file, t, row, shots, error), key, error);
}

/* Lines of `except` left out. */
static void write_but(FILE *f, const char *key, const char *except)
{
    for (size_t n; *key; key += n) {
        n = strcspn(key, "\n");
        n += key[n] == '\n';
        if (strncmp(key, except, strlen(except))) fwrite(key, 1, n, f);
    }
}

int meta_table_beginning_key(char **key, const struct meta_recipe *r, int iterations, struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    fprintf(text.file, "iterations of this beginning=%d\n", iterations);
    write_but(text.file, r->key, "[meta_loss] ");
    return meta_text_end(&text, 0, key, error);
}

int meta_table_cell_key(char **key, const struct meta_table *t, const struct meta_cell *c, struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    return meta_text_end(&text, write_test(text.file, t, c, error), key, error);
}

static int same(char *now, const char *then, const char *what, struct meta_error *error)
{
    int equal = !strcmp(now, then);
    free(now);
    return equal ? 0 : meta_fail(error, "%s or the lists have been changed since this table was begun: run it again", what);
}

int meta_recipe_unchanged(const struct meta_table *t, const struct meta_recipe *r, struct meta_error *error)
{
    struct meta_recipe now = *r;
    char *key;
    if (meta_table_recipe_key(&key, t, r->row, r->shots, error)) return -1;
    if (r->begins) {
        char *whole = now.key = key;
        int status = meta_table_beginning_key(&key, &now, r->total, error);
        free(whole);
        if (status) return -1;
    }
    return same(key, r->key, r->row->cfg, error);
}

int meta_table_unchanged(const struct meta_table *t, const struct meta_cell *c, struct meta_error *error)
{
    char *key;
    return meta_table_cell_key(&key, t, c, error) ? -1 : same(key, c->key, c->row->cfg, error);
}
