/* Writes the tables of the page that have a row a cell: pairs of classes, costs, settings. */
#include "base/duration.h"
#include "evaluation/methods.h"
#include "html.h"
#include "report_tables.h"
#include "stats/estimate_json.h"

/* A table with a row a cell. names: of its columns, NULL at their end. */
static void open_list(FILE *f, const char *kind, const char *caption, const char *const *names)
{
    fprintf(f, "<div class=\"wide\"><table class=\"%s\"><caption>%s</caption>\n<thead><tr>", kind,
            caption);
    for (; *names; names++) fprintf(f, "<th scope=\"col\">%s</th>", *names);
    fputs("</tr></thead>\n<tbody>\n", f);
}

static void text_cell(FILE *f, const char *column, const char *text)
{
    fprintf(f, "<td data-column=\"%s\">", column);
    meta_html_text(f, text);
    fputs("</td>", f);
}

static int has_results(const struct meta_report_table *t)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].result) return 1;
    return 0;
}

/* Whether there is something to score before the support images of a task are seen, as there is not
   of a mean of several tests' answers. */
static int learns(const struct meta_report_cell *c)
{
    const struct meta_method *m = meta_method_find(c->method);
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(c->result, "settings");
    return (!m || m->learns) && !(meta_json_get(settings, "with") > 0);
}

/* pair: an element of the result's array of pairs. */
static void pair_row(FILE *f, const struct meta_report_cell *c, const cJSON *pair)
{
    const cJSON *classes = cJSON_GetObjectItemCaseSensitive(pair, "classes");
    struct meta_estimate before = meta_json_get_estimate(pair, "auc_before"),
                         after = meta_json_get_estimate(pair, "auc_after");
    meta_html_row(f, c->label);
    fprintf(f, "<td data-column=\"shots\">%d</td><td data-column=\"classes\">", c->shots);
    for (int k = 0; k < 2; k++) {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(classes, k));
        meta_html_text(f, name ? name : "");
        if (!k) fputs(" &ndash; ", f);
    }
    fputs("</td><td data-column=\"AUC before\">", f);
    if (learns(c)) fprintf(f, "%.2f", 100 * before.mean);
    else fputs("-", f);
    fprintf(f, "</td><td data-column=\"AUC after\">%.2f", 100 * after.mean);
    if (after.n > 1) meta_html_interval(f, after.low, after.high);
    fprintf(f, "</td><td data-column=\"tasks\">%d</td></tr>\n", after.n);
}

void meta_report_pairs(FILE *f, const struct meta_report_table *t)
{
    static const char *const names[] = {
        "method", "shots", "classes", "AUC before", "AUC after, 95% interval", "tasks", NULL
    };
    if (!has_results(t)) return;
    fputs("<details open><summary>Pair of classes by pair</summary>\n", f);
    open_list(f, "pairs", "AUC in percent by the two classes of a task", names);
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        const cJSON *p;
        cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(c->result, "pairs"))
            pair_row(f, c, p);
    }
    meta_html_close_table(f);
    fputs("</details>\n", f);
}

static void time_cell(FILE *f, const char *column, double seconds)
{
    char text[64] = "-";
    if (seconds >= 0) meta_format_time(text, sizeof text, seconds);
    text_cell(f, column, text);
}

static void memory_cell(FILE *f, const char *column, double megabytes)
{
    fprintf(f, "<td data-column=\"%s\">", column);
    if (megabytes > 0) fprintf(f, "%.0f MB</td>", megabytes);
    else fputs("-</td>", f);
}

void meta_report_costs(FILE *f, const struct meta_report_table *t)
{
    static const char *const names[] = { "method", "shots",  "training", "memory",
                                         "test",   "memory", NULL };
    if (!has_results(t)) return;
    fputs("<details open><summary>Time and memory</summary>\n", f);
    open_list(f, "costs",
              "Time by the clock (of a training, its iterations&rsquo;), and the most "
              "memory a process had; a training that several cells stand on is told with each",
              names);
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        const cJSON *training = cJSON_GetObjectItemCaseSensitive(c->own, "training");
        if (!c->result) continue;
        meta_html_row(f, c->label);
        fprintf(f, "<td data-column=\"shots\">%d</td>", c->shots);
        time_cell(f, "training", meta_json_get(training, "seconds"));
        memory_cell(f, "memory of training", meta_json_get(training, "memory_mb"));
        time_cell(f, "test", meta_json_get(c->own, "test_seconds"));
        memory_cell(f, "memory of test", meta_json_get(c->own, "test_memory_mb"));
        fputs("</tr>\n", f);
    }
    meta_html_close_table(f);
    fputs("</details>\n", f);
}

void meta_report_settings(FILE *f, const struct meta_report_table *t)
{
    static const char *const names[] = { "method",     "shots",    ".cfg", "training",
                                         "iterations", "its seed", "test", NULL };
    fputs("<details open><summary>Settings and seeds</summary>\n<p>", f);
    meta_html_text(f, t->file);
    fputs(" on ", f);
    meta_html_text(f, t->data);
    fprintf(f, ": every cell on the same %d tasks of the ", t->runs);
    meta_html_text(f, t->list);
    fprintf(f, " list, seed %d, of which the first %d are told apart.</p>\n", t->seed, t->first);
    open_list(f, "settings", "What each cell is made with", names);
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_report_cell *c = &t->cells[i];
        meta_html_row(f, c->label);
        fprintf(f, "<td data-column=\"shots\">%d</td>", c->shots);
        text_cell(f, ".cfg", c->cfg);
        fputs("<td data-column=\"training\">", f);
        meta_html_text(f, c->train);
        if (*c->train_data) fputs(" on ", f);
        meta_html_text(f, c->train_data);
        fputs("</td>", f);
        fputs("<td data-column=\"iterations\">", f);
        if (c->iterations) fprintf(f, "%d", c->iterations);
        else fputs("-", f);
        fputs("</td><td data-column=\"its seed\">", f);
        /* what is asked names the seeds of several trainings */
        if (c->iterations && !*c->log) fputs("each its own", f);
        else fprintf(f, "%d", c->seed);
        fputs("</td>", f);
        fputs("<td data-column=\"test\">", f);
        meta_html_text(f, c->method);
        if (*c->asked) fputs(", ", f);
        meta_html_text(f, c->asked);
        fputs("</td>", f);
        fputs("</tr>\n", f);
    }
    meta_html_close_table(f);
    fputs("</details>\n", f);
}
