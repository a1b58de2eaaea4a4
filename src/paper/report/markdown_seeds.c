/* Paired differences of rows with several seeds as a Markdown table: a row a method, a column a
   seed of the training. */
#include "markdown_parts.h"
#include "markdown_text.h"

#include <string.h>

static int in_family(const struct meta_report_cell *c, const struct meta_report_cell *of)
{
    return *of->family && c->shots == of->shots && !strcmp(c->family, of->family);
}

/* The first cell of family and column that has a difference stands for all of them. */
static int stands_for_family(const struct meta_report_table *t, const struct meta_report_cell *c)
{
    if (!*c->family || !meta_report_difference(t, c)) return 0;
    for (const struct meta_report_cell *earlier = t->cells; earlier < c; earlier++)
        if (in_family(earlier, c) && meta_report_difference(t, earlier)) return 0;
    return 1;
}

/* The first cell of its seed among all rows with several seeds. */
static int stands_for_seed(const struct meta_report_table *t, const struct meta_report_cell *c)
{
    if (!*c->family) return 0;
    for (const struct meta_report_cell *earlier = t->cells; earlier < c; earlier++)
        if (*earlier->family && earlier->seed == c->seed) return 0;
    return 1;
}

static void write_difference(FILE *f, const struct meta_report_table *t,
                             const struct meta_report_cell *of, int seed)
{
    for (const struct meta_report_cell *c = t->cells; c < t->cells + t->cell_count; c++) {
        const cJSON *d = in_family(c, of) && c->seed == seed ? meta_report_difference(t, c) : NULL;
        if (!d) continue;
        meta_markdown_signed(f, meta_json_get(d, "mean"), meta_json_get(d, "low"),
                             meta_json_get(d, "high"), meta_json_text(d, "word"));
        meta_markdown_beside(f, meta_report_is_beside(t, c) ? c->paired_with : "");
        return;
    }
    fputs("| - ", f);
}

static void write_heads(FILE *f, const struct meta_report_table *t)
{
    fputs("\n| paired, seed by seed | shots ", f);
    for (const struct meta_report_cell *c = t->cells; c < t->cells + t->cell_count; c++)
        if (stands_for_seed(t, c)) fprintf(f, "| seed %d ", c->seed);
    fputs("|\n|---|---|", f);
    for (const struct meta_report_cell *c = t->cells; c < t->cells + t->cell_count; c++)
        if (stands_for_seed(t, c)) fputs("---|", f);
    fputc('\n', f);
}

void meta_markdown_seeds(FILE *f, const struct meta_report_table *t)
{
    int rows = 0;
    for (const struct meta_report_cell *c = t->cells; c < t->cells + t->cell_count; c++) {
        if (!stands_for_family(t, c)) continue;
        if (!rows++) write_heads(f, t);
        fputs("| ", f);
        meta_markdown_text(f, c->family);
        fprintf(f, " | %d ", c->shots);
        for (const struct meta_report_cell *s = t->cells; s < t->cells + t->cell_count; s++)
            if (stands_for_seed(t, s)) write_difference(f, t, c, s->seed);
        fputs("|\n", f);
    }
}
