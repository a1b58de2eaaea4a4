/* Tells a table's trainings from each other, and names them for the figures of their curves. */
#include "report_training.h"
#include "base/text.h"

#include <string.h>

int meta_report_curve(const struct meta_report_cell *c, const cJSON **curve)
{
    const cJSON *training = cJSON_GetObjectItemCaseSensitive(c->own, "training");
    *curve = cJSON_GetObjectItemCaseSensitive(training, "curve");
    return *curve ? cJSON_GetArraySize(*curve) : c->log_count;
}

int meta_report_same_training(const struct meta_report_cell *a, const struct meta_report_cell *b)
{
    const cJSON *one, *other;
    if (*a->log || *b->log) return !strcmp(a->log, b->log);
    meta_report_curve(a, &one);
    meta_report_curve(b, &other);
    return one && other && cJSON_Compare(one, other, 1);
}

int meta_report_training_shots(const struct meta_report_table *t, const struct meta_report_cell *c)
{
    if (c->train_shots >= 0) return c->train_shots;
    if (!strcmp(c->train, "pretrain")) return 0;
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].shots != c->shots && meta_report_same_training(&t->cells[i], c)) return 0;
    return c->shots;
}

static int row_has_training(const struct meta_report_table *t, int row,
                            const struct meta_report_cell *c)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].row == row && meta_report_same_training(&t->cells[i], c)) return 1;
    return 0;
}

int meta_report_training_label(char **label, const struct meta_report_table *t,
                               const struct meta_report_cell *c, struct meta_error *error)
{
    struct meta_text text;
    int rows = 0, named = 0;
    if (meta_text_begin(&text, error)) return -1;
    for (int row = 0; row < t->row_count; row++) rows += row_has_training(t, row, c);
    int names = rows > 3 ? 2 : rows;
    for (int row = 0; row < t->row_count && named < names; row++) {
        if (!row_has_training(t, row, c)) continue;
        const char *before = !named ? "" : named == rows - 1 ? " and " : ", ";
        fprintf(text.file, "%s%s", before, meta_report_label(t, row));
        named++;
    }
    if (rows > names) fprintf(text.file, " and %d more rows", rows - names);
    return meta_text_end(&text, 0, label, error);
}
