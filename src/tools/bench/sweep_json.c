/* What a sweep found, as JSON. */
#include "backends/fused/fused_kernels.h"
#include "base/json.h"
#include "sweep.h"

#define FORMAT 1

static void add_row(cJSON *rows, const struct meta_sweep_row *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToArray(rows, j);
    cJSON_AddItemToObject(j, "in", meta_json_number(meta_sweep_in(r->shape)));
    cJSON_AddItemToObject(j, "out", meta_json_number(meta_sweep_out(r->shape)));
    cJSON_AddItemToObject(j, "size", meta_json_number(r->shape.size));
    cJSON_AddBoolToObject(j, "first_layer", meta_sweep_is_first(r->shape));
    cJSON_AddItemToObject(j, "gradient", meta_json_number(r->gradient));
    cJSON_AddItemToObject(j, "product", meta_json_number(r->product));
    cJSON_AddItemToObject(j, "stock", meta_json_number(r->stock));
    cJSON_AddItemToObject(j, "ratio", meta_json_number(r->ratio));
    if (r->slow) cJSON_AddStringToObject(j, "reference", r->slow);
    else cJSON_AddNullToObject(j, "reference");
}

int meta_sweep_write(const struct meta_sweep *s, const char *path, struct meta_error *error)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "program", "darknet meta bench -sweep");
    cJSON_AddItemToObject(root, "format", meta_json_number(FORMAT));
    cJSON_AddStringToObject(root, "backend", s->plan->backend->name);
    cJSON_AddStringToObject(root, "isa", s->plan->backend->instructions());
    cJSON_AddItemToObject(root, "side", meta_json_number(META_SWEEP_SIDE));
    cJSON *rows = cJSON_AddArrayToObject(root, "rows");
    for (int i = 0; i < s->rows; i++) add_row(rows, &s->row[i]);
    int status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    return status;
}
