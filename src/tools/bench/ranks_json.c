/* What a benchmark of ranks found, as JSON. */
#include "base/json.h"
#include "ranks_bench.h"

#define FORMAT 1

static void add_number(cJSON *to, const char *name, double x)
{
    cJSON_AddItemToObject(to, name, meta_json_number(x));
}

/* Adds an object at the end of an array. */
static cJSON *append(cJSON *array)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToArray(array, j);
    return j;
}

static void add_spread(cJSON *to, const char *name, struct meta_spread s)
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    add_number(j, "median", s.median);
    add_number(j, "least", s.least);
    add_number(j, "most", s.most);
}

static void add_settings(cJSON *root, const struct meta_ranks_bench *b)
{
    const struct meta_bench_plan *plan = b->plan;
    const struct meta_model *m = plan->model;
    cJSON *j = cJSON_AddObjectToObject(root, "settings");
    add_number(j, "ranks", plan->transport->size);
    add_number(j, "threads", plan->threads);
    add_number(j, "tasks", m->episode->tasks);
    add_number(j, "order", b->order);
    add_number(j, "parameters", m->network->parameters);
    add_number(j, "gradient_bytes", b->load.gradient);
    add_number(j, "result_bytes", b->load.result);
    add_number(j, "iterations", b->iterations);
    cJSON_AddStringToObject(j, "transport", plan->transport->name);
    cJSON_AddStringToObject(j, "backend", plan->backend->name);
    cJSON_AddStringToObject(j, "isa", plan->backend->instructions());
}

static void add_costs(cJSON *root, const struct meta_ranks_costs *c)
{
    cJSON *j = cJSON_AddObjectToObject(root, "costs");
    add_number(j, "task_seconds", c->task);
    add_number(j, "step_seconds", c->step);
    add_number(j, "handling_seconds_a_byte", c->handling);
    add_number(j, "latency_seconds", c->latency);
    add_number(j, "start_seconds", c->start);
    add_number(j, "gap_seconds", c->gap);
    add_number(j, "bandwidth_bytes_a_second", c->bandwidth);
}

static void add_ranks(cJSON *root, const struct meta_ranks_bench *b)
{
    cJSON *ranks = cJSON_AddArrayToObject(root, "ranks");
    for (int k = 0; k < b->plan->transport->size; k++) {
        cJSON *j = append(ranks);
        add_number(j, "rank", k);
        cJSON_AddStringToObject(j, "host", b->plan->transport->hosts[k]);
        add_spread(j, "computing_seconds", b->row[k].computing);
        add_spread(j, "waiting_seconds", b->row[k].waiting);
        add_spread(j, "exchange_seconds", b->row[k].exchange);
        add_spread(j, "seconds", b->row[k].whole);
    }
}

static void add_predictions(cJSON *root, const struct meta_ranks_bench *b)
{
    struct meta_ranks_prediction list[META_RANKS_PREDICTIONS];
    int count = meta_ranks_predictions(b, list);
    cJSON *all = cJSON_AddArrayToObject(root, "predicted");
    for (int i = 0; i < count; i++) {
        const struct meta_ranks_times *t = &list[i].times;
        cJSON *j = append(all);
        add_number(j, "ranks", list[i].ranks);
        add_number(j, "tasks", list[i].tasks);
        add_number(j, "computing_seconds", t->computing);
        add_number(j, "waiting_seconds", t->waiting);
        add_number(j, "exchange_seconds", t->exchange);
        add_number(j, "seconds", t->whole);
        add_number(j, "speed", list[i].speed);
    }
    if (count > 1) add_number(root, "best_ranks", meta_ranks_best(&b->costs, &b->load));
}

int meta_ranks_write(const struct meta_ranks_bench *b, const char *path, struct meta_error *error)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "program", "darknet meta bench -ranks");
    add_number(root, "format", FORMAT);
    add_settings(root, b);
    add_costs(root, &b->costs);
    add_ranks(root, b);
    add_predictions(root, b);
    int status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    return status;
}
