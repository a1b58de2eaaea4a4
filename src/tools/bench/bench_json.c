/* What a benchmark found, as JSON. */
#include "backends/fused/fused_kernels.h"
#include "base/json.h"
#include "bench.h"

#include <math.h>

#define FORMAT 1

const char *const meta_bench_pass_names[META_PASS_COUNT] = { "forward", "backward",
                                                             "forward_tangent",
                                                             "backward_tangent" };

static void add_number(cJSON *to, const char *name, double x)
{
    cJSON_AddItemToObject(to, name, meta_json_number(x));
}

static void add_spread(cJSON *to, const char *name, struct meta_spread s)
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    add_number(j, "median", s.median);
    add_number(j, "least", s.least);
    add_number(j, "most", s.most);
}

static void add_passes(cJSON *to, const char *name, const double x[META_PASS_COUNT])
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    for (int pass = 0; pass < META_PASS_COUNT; pass++)
        add_number(j, meta_bench_pass_names[pass], x[pass]);
}

/* Adds an object at the end of an array. */
static cJSON *append(cJSON *array)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToArray(array, j);
    return j;
}

static void add_spec(cJSON *j, const struct meta_work_spec *s, int threads)
{
    cJSON_AddStringToObject(j, "name", s->name);
    add_number(j, "order", s->order ? s->order : NAN);
    add_number(j, "keep", s->order == 2 ? s->keep : NAN);
    add_number(j, "batch", s->batch);
    add_number(j, "threads", threads);
}

static void add_settings(cJSON *root, const struct meta_bench_plan *plan)
{
    const struct meta_model *m = plan->model;
    const struct {
        const char *name;
        double value;
    } settings[] = {
        { "width", m->net.width },          { "height", m->net.height },
        { "channels", m->net.channels },    { "parameters", m->network->parameters },
        { "ways", m->episode->ways },       { "shots", m->episode->shots },
        { "queries", m->episode->queries }, { "tasks", m->episode->tasks },
        { "steps", m->inner->steps },       { "threads", plan->threads },
        { "batch", plan->batch },           { "seconds", plan->seconds },
    };
    cJSON *j = cJSON_AddObjectToObject(root, "settings");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        add_number(j, settings[i].name, settings[i].value);
    cJSON_AddStringToObject(j, "backend", plan->backend->name);
    cJSON_AddStringToObject(j, "isa", plan->backend->instructions());
}

static void add_found(cJSON *root, const struct meta_bench *b)
{
    cJSON *check = cJSON_AddArrayToObject(root, "check"),
          *rows = cJSON_AddArrayToObject(root, "rows"),
          *ratios = cJSON_AddArrayToObject(root, "ratios"),
          *memory = cJSON_AddArrayToObject(root, "memory");
    for (int i = 0; i < b->identities; i++) {
        cJSON *j = append(check);
        cJSON_AddStringToObject(j, "text", b->identity[i].text);
        add_number(j, "error", b->identity[i].error);
        add_number(j, "limit", b->identity[i].limit);
    }
    for (int i = 0; i < b->rows; i++) {
        const struct meta_bench_row *r = &b->row[i];
        cJSON *j = append(rows);
        add_spec(j, &r->spec, r->threads);
        add_number(j, "rounds", r->rounds);
        add_number(j, "images", r->images);
        add_number(j, "flop", r->flops);
        add_number(j, "images_per_second", r->images / r->seconds.median);
        add_number(j, "gflops", r->flops / r->seconds.median / 1e9);
        add_spread(j, "seconds", r->seconds);
        add_spread(j, "processor_seconds", r->processor);
        add_spread(j, "peak_flops", r->peak);
        add_spread(j, "share", r->share);
        add_spread(j, "processor_share", r->processor_share);
    }
    for (int i = 0; i < b->ratios; i++) {
        cJSON *j = append(ratios);
        cJSON_AddStringToObject(j, "name", b->ratio[i].name);
        add_spread(j, "clock", b->ratio[i].clock);
        add_spread(j, "processor", b->ratio[i].processor);
    }
    for (int i = 0; i < b->memories; i++) {
        cJSON *j = append(memory);
        add_spec(j, &b->memory[i].spec, b->memory[i].threads);
        add_number(j, "process_bytes", b->memory[i].process);
        add_number(j, "worker_bytes", b->memory[i].workers);
    }
    add_number(root, "stock_bytes", b->stock_bytes > 0 ? b->stock_bytes : NAN);
    if (*b->no_stock) cJSON_AddStringToObject(root, "no_stock", b->no_stock);
}

static void add_layers(cJSON *root, const struct meta_bench *b)
{
    cJSON *j = cJSON_AddObjectToObject(root, "layers"), *operations;
    add_number(j, "batch", b->layer_batch);
    add_number(j, "peak_flops", b->layer_peak);
    operations = cJSON_AddArrayToObject(j, "operations");
    for (int i = 0; i < b->layers; i++) {
        cJSON *o = append(operations);
        add_number(o, "layer", b->layer[i].layer);
        cJSON_AddStringToObject(o, "name", b->layer[i].name);
        add_passes(o, "seconds", b->layer[i].seconds);
        add_passes(o, "flop", b->layer[i].flops);
    }
}

static void add_parts(cJSON *to, const char *name, const double x[META_BOUND_PARTS])
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    for (int part = 0; part < META_BOUND_PARTS; part++)
        add_number(j, meta_bound_part_names[part], x[part]);
}

static void add_bound(cJSON *to, const char *name,
                      const struct meta_winograd_bound bound[META_BOUND_PARTS])
{
    double product[META_BOUND_PARTS], transforms[META_BOUND_PARTS];
    for (int part = 0; part < META_BOUND_PARTS; part++) {
        product[part] = bound[part].product;
        transforms[part] = bound[part].transforms;
    }
    cJSON *j = cJSON_AddObjectToObject(to, name);
    add_parts(j, "product_flop", product);
    add_parts(j, "transform_flop", transforms);
}

static void add_convolutions(cJSON *root, const struct meta_bench *b)
{
    cJSON *convolutions = cJSON_AddArrayToObject(root, "convolutions");
    for (int i = 0; i < b->convolutions; i++) {
        const struct meta_bench_convolution *c = &b->convolution[i];
        cJSON *j = append(convolutions);
        add_number(j, "layer", b->layer[c->operation].layer);
        add_parts(j, "seconds", c->seconds);
        add_parts(j, "flop", c->flops);
        add_parts(j, "bytes", c->bytes);
        add_bound(j, "winograd_4x4", c->four);
        add_bound(j, "winograd_6x6", c->six);
    }
}

int meta_bench_write(const struct meta_bench *b, const char *path, struct meta_error *error)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "program", "darknet meta bench");
    cJSON_AddNumberToObject(root, "format", FORMAT);
    cJSON_AddStringToObject(root, "cfg", b->plan->model->path);
    add_settings(root, b->plan);
    add_passes(root, "flop_of_an_image", b->plan->flops.pass);
    add_found(root, b);
    add_layers(root, b);
    add_convolutions(root, b);
    int status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    return status;
}
