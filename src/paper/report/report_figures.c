/* Gathers the lines of the page's figures: ROC curves, trainings, the loss, and fine-tuning. */
#define _GNU_SOURCE
#include "report_figures.h"
#include "base/plural.h"
#include "config/options.h"
#include "config/plugins.h"
#include "report_training.h"
#include "stats/estimate_json.h"
#include "stats/roc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The lines of a figure, which own their labels and points. */
struct lines {
    struct meta_line *line; /* (room) */
    char **label;           /* (room) */
    int count;
};

static int open_lines(struct lines *l, int room, struct meta_error *error)
{
    *l = (struct lines){ calloc(room + 1, sizeof *l->line), calloc(room + 1, sizeof *l->label), 0 };
    return l->line && l->label ? 0 : meta_fail_memory(error);
}

/* A line of `count` points, which the caller fills; shots, unless 0, become a part of its label.
   Fails with NULL. */
static struct meta_line *add_line(struct lines *l, const char *label, int shots, int count,
                                  struct meta_error *error)
{
    struct meta_line *line = &l->line[l->count];
    char *text;
    if (!shots) text = strdup(label);
    else if (asprintf(&text, "%s, %d shot%s", label, shots, meta_plural(shots)) < 0) text = NULL;
    if (text) {
        l->label[l->count++] = text;
        *line = (struct meta_line){ text, count, 0, calloc(count + 1, sizeof *line->points) };
        if (line->points) return line;
    }
    meta_fail_memory(error);
    return NULL;
}

static void close_lines(struct lines *l)
{
    for (int i = 0; i < l->count; i++) {
        free(l->label[i]);
        free(l->line[i].points);
    }
    free(l->line);
    free(l->label);
}

/* ---- ROC ------------------------------------------------------------------------------------- */

/* The curve that a result of more than two classes has. */
static int read_roc(double (*points)[4], const cJSON *roc)
{
    const cJSON *point;
    int i = 0;
    if (cJSON_GetArraySize(roc) != META_ROC_POINTS) return 0;
    cJSON_ArrayForEach(point, roc)
    {
        for (int k = 0; k < 4; k++) {
            const cJSON *number = cJSON_GetArrayItem(point, k);
            points[i][k] = cJSON_IsNumber(number) ? fmin(1, fmax(0, number->valuedouble)) : NAN;
        }
        if (isnan(points[i][0]) || isnan(points[i][1])) return 0;
        i++;
    }
    return isnan(points[0][2]) ? 1 : META_ROC_POINTS;
}

int meta_report_mean_roc(double (*points)[4], const cJSON *result, struct meta_error *error)
{
    const cJSON *roc = cJSON_GetObjectItemCaseSensitive(result, "roc");
    if (roc) return read_roc(points, roc);
    const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(result, "tasks"), *task;
    int room = cJSON_GetArraySize(tasks), n = 0;
    double *rates = calloc((size_t)room * META_ROC_POINTS + 1, sizeof *rates);
    if (!rates) return meta_fail_memory(error);
    cJSON_ArrayForEach(task, tasks)
    {
        n += !meta_roc(meta_json_text(task, "ranks"), rates + (size_t)n * META_ROC_POINTS);
    }
    for (int i = 0; n && i < META_ROC_POINTS; i++) {
        struct meta_estimate e = meta_estimate_share(rates + i, META_ROC_POINTS * sizeof *rates, n);
        points[i][0] = (double)i / (META_ROC_POINTS - 1);
        points[i][1] = e.mean;
        points[i][2] = e.low;
        points[i][3] = e.high;
    }
    free(rates);
    return n;
}

/* The figure of one number of shots. */
static int roc_of(struct meta_figures *f, const struct meta_report_table *t, int shots,
                  struct meta_error *error)
{
    struct lines l;
    char title[128];
    int status = -1, ways = 0;
    if (open_lines(&l, t->cell_count, error)) goto done;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        if (c->shots != shots || !c->result) continue;
        struct meta_line *line = add_line(&l, c->label, 0, META_ROC_POINTS, error);
        if (!line) goto done;
        int n = meta_report_mean_roc(line->points, c->result, error);
        if (n < 0) goto done;
        line->band = n > 1;
        if (!n) line->count = 0;
        if (meta_report_ways(c) > ways) ways = meta_report_ways(c);
    }
    snprintf(title, sizeof title, "ROC at %d shot%s: mean over the tasks%s with its 95%% band",
             shots, meta_plural(shots), ways > 2 ? " and classes, each against the rest," : "");
    struct meta_figure g = {
        title, "rate of false positives", "rate of true positives", 0, 1, 0, 1, 1, l.count, l.line
    };
    if (l.count) meta_figure_draw(f, &g);
    status = 0;
done:
    close_lines(&l);
    return status;
}

int meta_report_roc(struct meta_figures *f, const struct meta_report_table *t,
                    struct meta_error *error)
{
    for (int i = 0; i < t->column_count; i++)
        if (roc_of(f, t, t->columns[i], error)) return -1;
    return 0;
}

/* ---- training -------------------------------------------------------------------------------- */

#define SMOOTH 30 /* a point is drawn as the mean over 1/SMOOTH of the training */

/* The numbers of a point as `meta table` writes it into a result: [iteration, meta-loss, query
   loss, accuracy, AUC]. */
enum { ITERATION = 0, QUERY_LOSS = 2, ACCURACY = 3 };

/* One number of a point: of `point`, or, when that is NULL, of row i of the log of the cell. */
static double number_of(const struct meta_report_cell *c, const cJSON *point, int i, int what)
{
    if (point) {
        const cJSON *j = cJSON_GetArrayItem(point, what);
        return cJSON_IsNumber(j) ? j->valuedouble : NAN;
    }
    const struct meta_row *r = &c->log_rows[i];
    if (what == ITERATION) return r->iteration;
    return what == QUERY_LOSS ? r->query_loss : r->accuracy;
}

/* Replaces each y by the mean of the numbers in the window that ends with its point. */
static void smooth(double (*points)[4], int count)
{
    int window = count / SMOOTH < 1 ? 1 : count / SMOOTH, numbers = 0;
    double sum = 0, *raw = malloc((count + 1) * sizeof *raw);
    for (int i = 0; raw && i < count; i++) {
        raw[i] = points[i][1];
        for (int k = i; k >= 0 && k >= i - window; k -= window) {
            if (!isfinite(raw[k])) continue;
            sum += k == i ? raw[k] : -raw[k];
            numbers += k == i ? 1 : -1;
        }
        points[i][1] = numbers ? sum / numbers : NAN;
    }
    free(raw);
}

/* Whether an earlier cell stands on the same training, whose curve is drawn once. */
static int seen_before(const struct meta_report_table *t, int index)
{
    const cJSON *curve;
    for (int i = 0; i < index; i++)
        if (meta_report_same_training(&t->cells[i], &t->cells[index])
            && meta_report_curve(&t->cells[i], &curve))
            return 1;
    return 0;
}

/* An empty line of a training's points, with its label. Fails with NULL. */
static struct meta_line *add_training(struct lines *l, const struct meta_report_table *t,
                                      const struct meta_report_cell *c, int count,
                                      struct meta_error *error)
{
    char *label;
    if (meta_report_training_label(&label, t, c, error)) return NULL;
    struct meta_line *line = add_line(l, label, meta_report_training_shots(t, c), count, error);
    free(label);
    return line;
}

static int training_of(struct meta_figures *f, const struct meta_report_table *t, int what,
                       const char *title, struct meta_error *error)
{
    struct lines l;
    int status = -1;
    if (open_lines(&l, t->cell_count, error)) goto done;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        const cJSON *curve, *point;
        int count = meta_report_curve(c, &curve);
        point = curve ? curve->child : NULL;
        if (!count || seen_before(t, i)) continue;
        struct meta_line *line = add_training(&l, t, c, count, error);
        if (!line) goto done;
        for (int k = 0; k < count; k++, point = point ? point->next : NULL) {
            line->points[k][0] = number_of(c, point, k, ITERATION);
            line->points[k][1] = number_of(c, point, k, what);
        }
        smooth(line->points, count);
    }
    struct meta_figure g = { title, "iteration", what == QUERY_LOSS ? "loss" : "accuracy",
                             NAN,   NAN,         NAN,
                             NAN,   0,           l.count,
                             l.line };
    if (l.count) meta_figure_draw(f, &g);
    status = 0;
done:
    close_lines(&l);
    return status;
}

int meta_report_curves(struct meta_figures *f, const struct meta_report_table *t,
                       struct meta_error *error)
{
    static const char loss[] = "Training: query loss (of pretraining: loss of the mini-batch)",
                      accuracy[] = "Training: accuracy of the tasks (of pretraining: of the "
                                   "mini-batch)";
    if (training_of(f, t, QUERY_LOSS, loss, error)) return -1;
    return training_of(f, t, ACCURACY, accuracy, error);
}

/* ---- the loss -------------------------------------------------------------------------------- */

enum { ETAS = 8, POINTS = 200 };

/* DA at losses from 0 to 1, by the plugin that training uses. */
static int difficulty(const struct meta_plugin *p, int eta, double (*points)[4],
                      struct meta_error *error)
{
    char value[16];
    struct meta_pair pairs[] = { { "type", "difficulty", 1 },
                                 { "eta", value, 2 },
                                 { "start", "0", 3 } };
    struct meta_section section = { "meta_loss", 0, 3, pairs };
    void *settings = calloc(1, p->settings_size);
    snprintf(value, sizeof value, "%d", eta);
    if (!settings) return meta_fail_memory(error);
    int status = meta_options_parse(p->options, &section, "the figure of the loss", settings,
                                    error);
    for (int i = 0; !status && i < POINTS; i++) {
        points[i][0] = (double)i / POINTS;
        points[i][1] = p->loss->value(settings, points[i][0], 1);
    }
    meta_options_clear(p->options, settings);
    free(settings);
    return status;
}

int meta_report_difficulty(struct meta_figures *f, struct meta_error *error)
{
    struct lines l = { 0 };
    int status = -1;
    const struct meta_plugins *plugins = meta_plugins_load(error);
    if (!plugins) return -1;
    const struct meta_plugin *p = meta_plugins_find(plugins, "meta_loss");
    if (!p || !p->loss) return meta_fail(error, "no plugin meta_loss, whose loss a figure shows");
    if (open_lines(&l, ETAS, error)) goto done;
    for (int eta = 0; eta < ETAS; eta++) {
        char label[32];
        snprintf(label, sizeof label, "eta=%d", eta);
        struct meta_line *line = add_line(&l, label, 0, POINTS, error);
        if (!line || difficulty(p, eta, line->points, error)) goto done;
    }
    struct meta_figure g = { "The difficulty-aware loss DA(L) by a task's query loss L "
                             "(Eq. 3)",
                             "L",
                             "DA(L)",
                             0,
                             1,
                             0,
                             5,
                             0,
                             l.count,
                             l.line };
    meta_figure_draw(f, &g);
    status = 0;
done:
    close_lines(&l);
    return status;
}

/* ---- fine-tuning --------------------------------------------------------------------------------
 */

/* what: name of an estimate in a point of a result's curve. */
static int finetuning_of(struct meta_figures *f, const struct meta_report_table *t,
                         const char *what, const char *title, const char *axis,
                         struct meta_error *error)
{
    struct lines l;
    int status = -1;
    if (open_lines(&l, t->cell_count, error)) goto done;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        const cJSON *curve = cJSON_GetObjectItemCaseSensitive(c->result, "curve"), *p;
        int count = cJSON_GetArraySize(curve), k = 0, gaps = 0;
        if (!count) continue;
        struct meta_line *line = add_line(&l, c->label, c->shots, count, error);
        if (!line) goto done;
        cJSON_ArrayForEach(p, curve)
        {
            struct meta_estimate e = meta_json_get_estimate(p, what);
            double values[4] = { meta_json_get(p, "epoch"), e.mean, e.low, e.high };
            gaps += isnan(e.low);
            memcpy(line->points[k++], values, sizeof values);
        }
        line->band = gaps < count;
    }
    struct meta_figure g = { title, "epoch", axis, NAN, NAN, NAN, NAN, 0, l.count, l.line };
    if (l.count) meta_figure_draw(f, &g);
    status = 0;
done:
    close_lines(&l);
    return status;
}

int meta_report_finetuning(struct meta_figures *f, const struct meta_report_table *t,
                           struct meta_error *error)
{
    static const char loss[] = "Fine-tuning: loss of the support images by epoch, with "
                               "its 95% band",
                      auc[] = "Fine-tuning: test AUC by epoch, with its 95% band";
    if (finetuning_of(f, t, "support_loss", loss, "loss", error)) return -1;
    return finetuning_of(f, t, "auc", auc, "AUC", error);
}
