/* Keeps the rewards of each kind of task, and draws kinds by them. */
#include "curriculum.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KINDS 10000
#define LAG META_CURRICULUM_LAG

struct meta_curriculum {
    int ways, tasks, window, kinds;
    double explore;
    uint64_t seed;
    int *classes; /* (kinds, ways) rising */
    int *largest; /* (kinds) scratch of a draw: the kinds whose reward is the largest */
    int *drawn;   /* (LAG, tasks, ways) iteration i is at i % LAG */

    /* the state, which lies in one block */
    size_t bytes;
    void *block;
    uint64_t *next;  /* the iteration whose AUCs come next */
    double *last;    /* (kinds) AUC of the iteration that drew the kind last; NaN: never drawn */
    double *rewards; /* (kinds, window) the n-th reward is at n % window */
    uint64_t *count; /* (kinds) the number of rewards so far */
    uint64_t *kind;  /* (LAG, tasks) the kinds drawn; iteration i is at i % LAG */
};

/* ---- kinds ----------------------------------------------------------------------------------- */

/* The binomial coefficient n over k, or some number above MOST_KINDS when it is above that. */
static long choose(int n, int k)
{
    long c = 1;
    for (int i = 1; i <= k && c <= MOST_KINDS; i++) c = c * (n - k + i) / i;
    return c;
}

/* Lists all sets of `ways` of the classes, in lexicographic order. */
static void list_kinds(struct meta_curriculum *c, int classes)
{
    int *set = c->classes;
    for (int i = 0; i < c->ways; i++) set[i] = i;
    for (int kind = 1; kind < c->kinds; kind++, set += c->ways) {
        int *next = set + c->ways, i = c->ways - 1;
        memcpy(next, set, c->ways * sizeof *set);
        while (next[i] == classes - c->ways + i) i--;
        next[i]++;
        for (int k = i + 1; k < c->ways; k++) next[k] = next[k - 1] + 1;
    }
}

/* ---- draws ----------------------------------------------------------------------------------- */

static int draw(struct meta_curriculum *c, uint64_t iteration, int task)
{
    struct meta_rng rng = meta_rng_open(c->seed, META_USE_CURRICULUM, iteration, task, 0);
    if (meta_rng_uniform(&rng) < c->explore) return meta_rng_below(&rng, c->kinds);
    double most = -INFINITY;
    int equals = 0;
    for (int k = 0; k < c->kinds; k++) {
        uint64_t held = c->count[k] < (uint64_t)c->window ? c->count[k] : (uint64_t)c->window,
                 oldest = c->count[k] - held;
        double reward = held
            ? c->rewards[(size_t)k * c->window + (oldest + meta_rng_below(&rng, held)) % c->window]
            : 1;
        if (reward > most) {
            most = reward;
            equals = 0;
        }
        if (reward == most) c->largest[equals++] = k;
    }
    return c->largest[meta_rng_below(&rng, equals)];
}

static void show(struct meta_curriculum *c, uint64_t iteration)
{
    for (int task = 0; task < c->tasks; task++) {
        size_t at = iteration % LAG * c->tasks + task;
        memcpy(c->drawn + at * c->ways, c->classes + c->kind[at] * c->ways,
               c->ways * sizeof *c->drawn);
    }
}

static void draw_iteration(struct meta_curriculum *c, uint64_t iteration)
{
    for (int task = 0; task < c->tasks; task++)
        c->kind[iteration % LAG * c->tasks + task] = draw(c, iteration, task);
    show(c, iteration);
}

const int *meta_curriculum_classes(const struct meta_curriculum *c, uint64_t iteration)
{
    return c->drawn + iteration % LAG * c->tasks * c->ways;
}

void meta_curriculum_learn(struct meta_curriculum *c, const double *auc)
{
    const uint64_t *kind = c->kind + *c->next % LAG * c->tasks;
    for (int first = 0; first < c->tasks; first++) {
        uint64_t k = kind[first];
        double sum = 0;
        int n = 0, met = 0;
        for (int task = 0; task < c->tasks; task++) {
            if (kind[task] != k) continue;
            met |= task < first;
            sum += auc[task];
            n++;
        }
        if (met) continue;
        if (!isnan(c->last[k]))
            c->rewards[k * c->window + c->count[k]++ % c->window] = sum / n - c->last[k];
        c->last[k] = sum / n;
    }
    draw_iteration(c, *c->next + LAG);
    ++*c->next;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void *take(char **at, size_t count)
{
    void *here = *at;
    *at += count * sizeof(uint64_t); /* a double is as large */
    return here;
}

int meta_curriculum_create(struct meta_curriculum **out, int classes,
                           const struct meta_episode_settings *settings, uint64_t seed,
                           uint64_t first, struct meta_error *error)
{
    long kinds = choose(classes, settings->ways);
    if (kinds > MOST_KINDS)
        return meta_fail(error,
                         "sampler=curriculum: %d of %d classes make more than %d kinds of task: "
                         "must be fewer ways or classes, "
                         "or sampler=uniform",
                         settings->ways, classes, MOST_KINDS);
    struct meta_curriculum *c = calloc(1, sizeof *c);
    if (!c) return meta_fail_memory(error);
    c->ways = settings->ways;
    c->tasks = settings->tasks;
    c->window = settings->window;
    c->explore = settings->explore;
    c->seed = seed;
    c->kinds = kinds;
    c->bytes = (1 + c->kinds * ((size_t)c->window + 2) + LAG * c->tasks) * sizeof(uint64_t);
    c->classes = calloc((size_t)c->kinds * c->ways, sizeof *c->classes);
    c->largest = calloc(c->kinds, sizeof *c->largest);
    c->drawn = calloc((size_t)LAG * c->tasks * c->ways, sizeof *c->drawn);
    char *at = c->block = calloc(1, c->bytes);
    if (!c->classes || !c->largest || !c->drawn || !c->block) {
        meta_curriculum_free(c);
        return meta_fail(error, "out of memory for the rewards of %ld kinds of task", kinds);
    }
    c->next = take(&at, 1);
    c->last = take(&at, c->kinds);
    c->rewards = take(&at, (size_t)c->kinds * c->window);
    c->count = take(&at, c->kinds);
    c->kind = take(&at, LAG * c->tasks);
    list_kinds(c, classes);
    *c->next = first;
    for (int k = 0; k < c->kinds; k++) c->last[k] = NAN;
    for (int i = 0; i < LAG; i++) draw_iteration(c, first + i);
    *out = c;
    return 0;
}

void meta_curriculum_free(struct meta_curriculum *c)
{
    if (!c) return;
    free(c->classes);
    free(c->largest);
    free(c->drawn);
    free(c->block);
    free(c);
}

size_t meta_curriculum_bytes(const struct meta_curriculum *c) { return c->bytes; }

void meta_curriculum_save(const struct meta_curriculum *c, void *out)
{
    memcpy(out, c->block, c->bytes);
}

int meta_curriculum_load(struct meta_curriculum *c, const void *in, struct meta_error *error)
{
    memcpy(c->block, in, c->bytes);
    for (int i = 0; i < LAG * c->tasks; i++)
        if (c->kind[i] >= (uint64_t)c->kinds)
            return meta_fail(error, "the curriculum's state has kind %llu: must be less than %d",
                             (unsigned long long)c->kind[i], c->kinds);
    for (int i = 0; i < LAG; i++) show(c, *c->next + i);
    return 0;
}
