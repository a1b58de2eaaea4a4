/* Makes the keys of trainings and tests: what they depend on as text, which is kept in results and
   compared to tell whether these still hold. */
#include "table_key.h"
#include "table_images.h"
#include "base/checksum.h"
#include "base/digest.h"
#include "base/text.h"
#include "learning/rates_file.h"
#include "network/temperature_file.h"
#include "tasks/data_file.h"
#include "training/fingerprint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* To be raised when the same settings would give other figures. */
#define FORMAT 2

uint32_t meta_table_id(const char *key)
{
    return crc32(crc32(0, NULL, 0), (const Bytef *)key, strlen(key));
}

static int write_sum(FILE *f, const char *what, const char *path, struct meta_error *error)
{
    uint32_t crc;
    size_t size;
    if (meta_checksum_file(path, &crc, &size, error)) return -1;
    fprintf(f, "check sum of %s=crc32:%08x\n", what, crc);
    return 0;
}

static void write_digest(FILE *f, const char *what, const char *list, struct meta_digest digest)
{
    char text[META_DIGEST_TEXT];
    meta_digest_text(text, digest);
    fprintf(f, "digest of the %s of the %s list=xxh3-128:%s\n", what, list, text);
}

/* The images of the list that is trained or tested on, their classes and their groups, and how they
   are decoded where the .data file says it. */
static int write_list(FILE *f, const struct meta_table *t, int source, int which,
                      struct meta_error *error)
{
    const struct meta_table_source *s = &t->sources[source];
    const struct meta_table_list *l = &s->lists[which];
    const char *name = meta_table_list_name(t, which);
    if (!l->count) return meta_fail(error, "%s: has no %s=", s->data, name);
    write_digest(f, "images", name, l->id.images);
    write_digest(f, "classes", name, l->id.classes);
    write_digest(f, "groups", name, l->id.groups);
    if (s->decode == META_DECODE_FULL) fprintf(f, "decode of the %s list=full\n", name);
    if (s->range) fprintf(f, "range of the %s list=%d\n", name, s->range);
    /* a checkpoint is of a number of classes; the table's own is that of all rows */
    if (source) fprintf(f, "classes of the %s list=%d\n", name, s->classes);
    return 0;
}

/* The sections of the .cfg with their options, and their plugins. */
static int write_cfg(FILE *f, const char *path, struct meta_error *error)
{
    return meta_fingerprint_cfg(f, path, 1, error) || meta_fingerprint_plugins(f, path, error) ? -1
                                                                                               : 0;
}

static int write_recipe(FILE *f, const struct meta_table *t, const struct meta_recipe *r,
                        struct meta_error *error)
{
    const struct meta_table_row *row = r->row;
    fprintf(f, "format=%d\ntraining=%s\nseed of the training=%llu\n", FORMAT,
            meta_table_training_name(row->train), (unsigned long long)r->seed);
    if (r->shots) fprintf(f, "shots in place of the .cfg's=%d\n", r->shots);
    if (write_cfg(f, row->cfg, error)) return -1;
    return write_list(f, t, row->source, META_TABLE_TRAINED, error);
}

/* A file beside the weights, which a test reads where it is there. Takes over the path. */
static int write_beside(FILE *f, const char *what, char *path, struct meta_error *error)
{
    int status = !path       ? meta_fail_memory(error)
        : access(path, F_OK) ? 0
                             : write_sum(f, what, path, error);
    free(path);
    return status;
}

static int write_weights(FILE *f, const struct meta_table_row *row, struct meta_error *error)
{
    fprintf(f, "format=%d\n", FORMAT);
    if (row->weights
        && (write_sum(f, "the weights", row->weights, error)
            || write_beside(f, "the learned rates", meta_rates_path(row->weights), error)
            || write_beside(f, "the temperatures", meta_temperatures_path(row->weights, error),
                            error)))
        return -1;
    return write_cfg(f, row->cfg, error);
}

static int write_test(FILE *f, const struct meta_table *t, const struct meta_cell *c,
                      struct meta_error *error)
{
    const struct meta_table_row *row = c->row;
    for (int k = 0; k < meta_cell_trainings(c); k++) fputs(meta_cell_training(c, k)->key, f);
    if (!c->recipe && write_weights(f, row, error)) return -1;
    fprintf(f, "method=%s\nshots=%d\ntasks=%d\nseed of the tasks=%d\n",
            meta_row_method_name(row->method), c->shots, t->runs, t->seed);
    if (row->epochs) fprintf(f, "epochs=%d\n", row->epochs);
    if (row->augment) fprintf(f, "augment=%d\n", row->augment);
    if (row->average) fputs("weights=average\n", f);
    if (write_list(f, t, 0, META_TABLE_TESTED, error)) return -1;
    if (!c->with) return 0;
    char text[META_DIGEST_TEXT];
    meta_digest_text(text, meta_digest(c->with->key, strlen(c->with->key)));
    fprintf(f, "key of what is averaged with=xxh3-128:%s\n", text);
    if (row->temper.count)
        fprintf(f, "temperatures=%.17g,%.17g\n", row->temper.values[0], row->temper.values[1]);
    return 0;
}

int meta_table_recipe_key(char **key, const struct meta_table *t, const struct meta_recipe *r,
                          struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    return meta_text_end(&text, write_recipe(text.file, t, r, error), key, error);
}

/* The key's lines without those that begin with `except`. */
static void write_but(FILE *f, const char *key, const char *except)
{
    for (size_t n; *key; key += n) {
        n = strcspn(key, "\n");
        n += key[n] == '\n';
        if (strncmp(key, except, strlen(except))) fwrite(key, 1, n, f);
    }
}

int meta_table_beginning_key(char **key, const struct meta_recipe *r, int iterations,
                             struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    fprintf(text.file, "iterations of this beginning=%d\n", iterations);
    write_but(text.file, r->key, "[meta_loss] ");
    return meta_text_end(&text, 0, key, error);
}

int meta_table_cell_key(char **key, const struct meta_table *t, const struct meta_cell *c,
                        struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    return meta_text_end(&text, write_test(text.file, t, c, error), key, error);
}

/* Refuses when the two keys differ. Frees `now`. */
static int compare(char *now, const char *then, const char *cfg, struct meta_error *error)
{
    int equal = !strcmp(now, then);
    free(now);
    if (equal) return 0;
    return meta_fail(error,
                     "%s, the lists or the images have been changed since this table was begun: "
                     "run it again",
                     cfg);
}

/* The table as it is now, as far as the row depends on it: another row's .data file may be gone. */
static int look_again(struct meta_table *now, const struct meta_table *t,
                      const struct meta_table_row *row, struct meta_error *error)
{
    *now = *t;
    for (int k = 1; k < now->source_count; k++) now->sources[k].missing |= k != row->source;
    return meta_table_identify(now, error);
}

int meta_recipe_unchanged(const struct meta_table *t, const struct meta_recipe *r,
                          struct meta_error *error)
{
    char *key;
    struct meta_table now;
    if (look_again(&now, t, r->row, error) || meta_table_recipe_key(&key, &now, r, error))
        return -1;
    if (r->is_beginning) {
        struct meta_recipe whole = *r;
        whole.key = key;
        int status = meta_table_beginning_key(&key, &whole, r->total, error);
        free(whole.key);
        if (status) return -1;
    }
    return compare(key, r->key, r->row->cfg, error);
}

int meta_cell_unchanged(const struct meta_table *t, const struct meta_cell *c,
                        struct meta_error *error)
{
    char *key;
    struct meta_table now;
    if (look_again(&now, t, c->row, error) || meta_table_cell_key(&key, &now, c, error)) return -1;
    return compare(key, c->key, c->row->cfg, error);
}
