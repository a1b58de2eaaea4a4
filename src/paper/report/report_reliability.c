/* Gathers the lines of the reliability diagrams from the bins of the results. */
#define _GNU_SOURCE
#include "report_reliability.h"
#include "base/plural.h"
#include "stats/calibration.h"
#include "stats/estimate_json.h"

#include <math.h>
#include <stdlib.h>

int meta_report_bins(double (*points)[4], const cJSON *result)
{
    const cJSON *bins = cJSON_GetObjectItemCaseSensitive(result, "bins"), *bin;
    int count = 0;
    cJSON_ArrayForEach(bin, bins)
    {
        double images = meta_json_get(bin, "count");
        if (!(images > 0) || count == META_CALIBRATION_BINS) continue;
        points[count][0] = meta_json_get(bin, "confidence") / images;
        points[count][1] = meta_json_get(bin, "correct") / images;
        points[count][2] = points[count][3] = points[count][1];
        count++;
    }
    return count;
}

/* "DAML, ECE 12.3%, at temperature 1.8", which the caller frees; NULL: no memory. */
static char *label_of(const struct meta_report_cell *c)
{
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(c->result, "settings");
    double temperature = meta_json_get(settings, "temperature"),
           ece = meta_json_get_estimate(c->result, "ece").mean;
    char *label;
    int n = isnan(temperature)
        ? asprintf(&label, "%s, ECE %.1f%%", c->label, 100 * ece)
        : asprintf(&label, "%s, ECE %.1f%%, at temperature %.3g", c->label, 100 * ece, temperature);
    return n < 0 ? NULL : label;
}

/* The lines of one number of shots. */
struct diagram {
    struct meta_line *lines; /* (count) */
    char **labels;           /* (count) */
    double (*points)[4];     /* (count, META_CALIBRATION_BINS, 4) */
    int count;
};

static void clear(struct diagram *d)
{
    for (int i = 0; i < d->count; i++) free(d->labels[i]);
    free(d->lines);
    free(d->labels);
    free(d->points);
}

static int fill(struct diagram *d, const struct meta_report_table *t, int shots,
                struct meta_error *error)
{
    size_t room = (size_t)t->cell_count + 1;
    d->lines = calloc(room, sizeof *d->lines);
    d->labels = calloc(room, sizeof *d->labels);
    d->points = calloc(room * META_CALIBRATION_BINS, sizeof *d->points);
    if (!d->lines || !d->labels || !d->points) return meta_fail_memory(error);
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        double(*points)[4] = d->points + (size_t)d->count * META_CALIBRATION_BINS;
        int count = c->shots == shots && c->result ? meta_report_bins(points, c->result) : 0;
        if (!count) continue;
        if (!(d->labels[d->count] = label_of(c))) return meta_fail_memory(error);
        d->lines[d->count] = (struct meta_line){ d->labels[d->count], count, 0, points };
        d->count++;
    }
    return 0;
}

int meta_report_reliability(struct meta_figures *figures, const struct meta_report_table *t,
                            struct meta_error *error)
{
    int status = 0;
    for (int i = 0; i < t->column_count && !status; i++) {
        struct diagram d = { 0 };
        char title[128];
        status = fill(&d, t, t->columns[i], error);
        snprintf(title, sizeof title,
                 "Reliability at %d shot%s: above the dashed line answers are right more often "
                 "than they say",
                 t->columns[i], meta_plural(t->columns[i]));
        struct meta_figure g = {
            title, "mean top probability", "share that is right", 0, 1, 0, 1, 1, d.count, d.lines
        };
        if (!status && d.count) meta_figure_draw(figures, &g);
        clear(&d);
    }
    return status;
}
