/* Adds up what each group does to the AUC: as query images by how often they win, as support images
   by the covariance, over the tasks of a class, of their number and the AUC. */
#include "tally.h"

#include <math.h>
#include <stdlib.h>

/* The images of one class in one group, or one image in no group. */
struct cell {
    int group, class;
    double support[META_PARTS]; /* the sum over tasks of the number of support images */
    double scored[META_PARTS];  /* the sum of that number times the AUC */
    double query[META_PARTS];   /* the sum of what query images add to the AUC, from the class's
                                   mean in the task */
};

/* The tasks that have a class. */
struct seen {
    int groups; /* of the class in the list */
    double tasks[META_PARTS], auc[META_PARTS];
    double drawn; /* groups on the support side, summed over the tasks */
};

struct meta_tally {
    const struct meta_dataset *dataset;
    int ways, shots, queries;
    int tasks, groups, cell_count;
    int *cell; /* (images) */
    struct cell *cells;
    int *first;        /* (groups) the first image of the group in the list */
    long long *asked;  /* (groups) how often an image of the group was a query image */
    char *drawn;       /* (groups) 1: an image of the group was in a task */
    struct seen *seen; /* (classes) */
};

/* The cell of image i: the one that the group has for the image's class, or a new one. `latest`
   (groups of the data set) is the last cell of each group so far, `before` (images) the one before
   a cell; -1: there is none. */
static int find_cell(struct meta_tally *t, int i, int *latest, int *before)
{
    const struct meta_dataset *d = t->dataset;
    int *own = d->group[i] < 0 ? NULL : &latest[d->group[i]], group = t->groups;
    for (int c = own ? *own : -1; c >= 0; c = before[c]) {
        if (t->cells[c].class == d->label[i]) return c;
        group = t->cells[c].group;
    }
    if (group == t->groups) t->first[t->groups++] = i;
    before[t->cell_count] = own ? *own : -1;
    if (own) *own = t->cell_count;
    t->cells[t->cell_count] = (struct cell){ .group = group, .class = d->label[i] };
    t->seen[d->label[i]].groups++;
    return t->cell_count++;
}

static int find_cells(struct meta_tally *t)
{
    const struct meta_dataset *d = t->dataset;
    int groups = 0;
    for (int i = 0; i < d->count; i++)
        if (d->group[i] >= groups) groups = d->group[i] + 1;
    int *latest = malloc((groups + 1) * sizeof *latest),
        *before = malloc((d->count + 1) * sizeof *before);
    for (int k = 0; latest && k < groups; k++) latest[k] = -1;
    for (int i = 0; latest && before && i < d->count; i++)
        t->cell[i] = find_cell(t, i, latest, before);
    int status = latest && before ? 0 : -1;
    free(latest);
    free(before);
    return status;
}

int meta_tally_create(struct meta_tally **out, const struct meta_dataset *dataset,
                      const struct meta_episode_settings *settings, struct meta_error *error)
{
    struct meta_tally *t = calloc(1, sizeof *t);
    size_t n = dataset->count + 1, classes = 1;
    if (!t) return meta_fail_memory(error);
    for (int i = 0; i < dataset->count; i++)
        if (dataset->label[i] >= (int)classes) classes = dataset->label[i] + 1;
    t->dataset = dataset;
    t->ways = settings->ways;
    t->shots = settings->shots;
    t->queries = settings->queries;
    t->cell = malloc(n * sizeof *t->cell);
    t->cells = malloc(n * sizeof *t->cells);
    t->first = malloc(n * sizeof *t->first);
    t->asked = calloc(n, sizeof *t->asked);
    t->drawn = calloc(n, 1);
    t->seen = calloc(classes, sizeof *t->seen);
    if (!t->cell || !t->cells || !t->first || !t->asked || !t->drawn || !t->seen || find_cells(t)) {
        meta_tally_free(t);
        return meta_fail_memory(error);
    }
    *out = t;
    return 0;
}

void meta_tally_free(struct meta_tally *t)
{
    if (!t) return;
    free(t->cell);
    free(t->cells);
    free(t->first);
    free(t->asked);
    free(t->drawn);
    free(t->seen);
    free(t);
}

/* ---- one task -------------------------------------------------------------------------------- */

static void add_support(struct meta_tally *t, const int *items, double auc, int part)
{
    struct seen *seen = &t->seen[t->dataset->label[*items]];
    seen->tasks[part]++;
    seen->auc[part] += auc;
    for (int i = 0; i < t->shots; i++) {
        struct cell *c = &t->cells[t->cell[items[i]]];
        int again = 0;
        for (int j = 0; j < i && !again; j++) again = t->cell[items[j]] == t->cell[items[i]];
        seen->drawn += !again;
        c->support[part]++;
        c->scored[part] += auc;
        t->drawn[c->group] = 1;
    }
}

/* The AUC of a task is the sum over the query images of any one class of wins / (2 queries^2). With
   more than two ways it is the mean over classes, each against the rest, of such sums over the
   (ways-1) queries^2 of the others. The wins of an image are measured from the mean of its class in
   that task, which includes the image itself: hence queries-1. */
static void add_query(struct meta_tally *t, const int *items, const int *wins, int part)
{
    double n = t->queries, curves = t->ways == 2 ? 1 : (double)t->ways * (t->ways - 1);
    double unit = 2 * n * n * curves * (n - 1);
    long long all = 0;
    for (int i = 0; i < t->queries; i++) all += wins[i];
    for (int i = 0; i < t->queries; i++) {
        struct cell *c = &t->cells[t->cell[items[i]]];
        c->query[part] += ((long long)t->queries * wins[i] - all) / unit;
        t->asked[c->group]++;
        t->drawn[c->group] = 1;
    }
}

void meta_tally_add(struct meta_tally *t, const struct meta_tallied *task)
{
    int part = t->tasks++ % META_PARTS;
    for (int k = 0; k < t->ways; k++) {
        add_support(t, task->support + (size_t)k * t->shots, task->auc, part);
        add_query(t, task->query + (size_t)k * t->queries, task->wins + (size_t)k * t->queries,
                  part);
    }
}

/* ---- influences ------------------------------------------------------------------------------ */

static double sum(const double part[META_PARTS])
{
    double all = 0;
    for (int b = 0; b < META_PARTS; b++) all += part[b];
    return all;
}

/* The covariance of the cell's number of support images and the AUC is the derivative by its weight
   if images are drawn with replacement. They are drawn without: what a group adds, another of the
   G - 1 that is not among the m on the support side loses. */
static void support_influence(const struct cell *c, const struct seen *s, double out[META_PARTS])
{
    double n = sum(s->tasks), mean = sum(s->auc) / n, number = sum(c->support) / n,
           others = s->groups - s->drawn / n;
    double factor = n > 1 && others > 0 ? (s->groups - 1) / others * n / (n - 1) : 0;
    for (int b = 0; b < META_PARTS; b++)
        out[b] = n ? factor
                * (c->scored[b] - mean * c->support[b] - number * (s->auc[b] - mean * s->tasks[b]))
                   : 0;
}

static int allocate(struct meta_by_group *out, int groups, struct meta_error *error)
{
    size_t room = groups + 1;
    *out = (struct meta_by_group){ .item = malloc(room * sizeof *out->item),
                                   .label = malloc(room * sizeof *out->label),
                                   .asked = malloc(room * sizeof *out->asked),
                                   .query = calloc(room, sizeof *out->query),
                                   .part = calloc(room * META_PARTS, sizeof *out->part) };
    if (out->item && out->label && out->asked && out->query && out->part) return 0;
    meta_by_group_clear(out);
    return meta_fail_memory(error);
}

int meta_tally_read(struct meta_by_group *out, const struct meta_tally *t, struct meta_error *error)
{
    int *place = malloc((t->groups + 1) * sizeof *place);
    if (!place) return meta_fail_memory(error);
    if (allocate(out, t->groups, error)) {
        free(place);
        return -1;
    }
    out->tasks = t->tasks;
    for (int g = 0; g < t->groups; g++) {
        place[g] = out->count;
        if (!t->drawn[g]) continue;
        out->item[out->count] = t->first[g];
        out->label[out->count] = t->dataset->label[t->first[g]];
        out->asked[out->count++] = t->asked[g];
    }
    for (int i = 0; i < t->cell_count; i++) {
        const struct cell *c = &t->cells[i];
        double support[META_PARTS];
        int g = place[c->group];
        if (!t->drawn[c->group]) continue;
        support_influence(c, &t->seen[c->class], support);
        out->query[g] += t->queries > 1 ? sum(c->query) / t->tasks : NAN;
        for (int b = 0; b < META_PARTS; b++)
            out->part[(size_t)b * out->count + g] += (c->query[b] + support[b]) / t->tasks;
    }
    free(place);
    return 0;
}
