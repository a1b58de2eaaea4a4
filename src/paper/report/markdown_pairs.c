/* AUC by pair of classes as a Markdown table: a row a cell of the table, a column a pair of
   classes. */
#include "markdown_parts.h"
#include "markdown_text.h"
#include "base/plural.h"
#include "stats/estimate_json.h"

#include <string.h>

static const cJSON *pairs_of(const struct meta_report_cell *c)
{
    return cJSON_GetObjectItemCaseSensitive(c->result, "pairs");
}

/* Name k, 0 or 1, of a pair's two classes. */
static const char *class_name(const cJSON *pair, int k)
{
    const char *name = cJSON_GetStringValue(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(pair, "classes"), k));
    return name ? name : "";
}

static int same_classes(const cJSON *a, const cJSON *b)
{
    return !strcmp(class_name(a, 0), class_name(b, 0))
        && !strcmp(class_name(a, 1), class_name(b, 1));
}

/* The AUC that `pairs` has of the classes of `pair`, or "-". */
static void write_auc(FILE *f, const cJSON *pairs, const cJSON *pair)
{
    const cJSON *p;
    cJSON_ArrayForEach(p, pairs)
    {
        if (!same_classes(p, pair)) continue;
        struct meta_estimate e = meta_json_get_estimate(p, "auc_after");
        fprintf(f, " %.2f", 100 * e.mean);
        if (e.n > 1) fprintf(f, " (%.2f to %.2f)", 100 * e.low, 100 * e.high);
        fputs(" |", f);
        return;
    }
    fputs(" - |", f);
}

static void write_heads(FILE *f, const cJSON *pairs)
{
    const cJSON *p;
    fputs("\n| AUC by pair of classes |", f);
    cJSON_ArrayForEach(p, pairs)
    {
        fputc(' ', f);
        meta_markdown_text(f, class_name(p, 0));
        fputs(", ", f);
        meta_markdown_text(f, class_name(p, 1));
        fputs(" |", f);
    }
    fputs("\n|---|", f);
    cJSON_ArrayForEach(p, pairs) fputs("---|", f);
    fputc('\n', f);
}

void meta_markdown_pairs(FILE *f, const struct meta_report_table *t)
{
    const cJSON *heads = NULL, *p;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        if (!pairs_of(c)) continue;
        if (!heads) write_heads(f, heads = pairs_of(c));
        fputs("| ", f);
        meta_markdown_text(f, c->label);
        fprintf(f, ", %d shot%s |", c->shots, meta_plural(c->shots));
        cJSON_ArrayForEach(p, heads) write_auc(f, pairs_of(c), p);
        fputc('\n', f);
    }
}
