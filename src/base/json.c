#include "json.h"
#include "file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int meta_json_read(cJSON **root, const char *path, struct meta_error *error)
{
    char *text;
    size_t size;
    if (meta_file_read(path, &text, &size, error)) return -1;
    *root = cJSON_Parse(text);
    free(text);
    return *root ? 0 : meta_fail(error, "%s: is not JSON", path);
}

int meta_json_write(const char *path, const cJSON *root, struct meta_error *error)
{
    char *text = cJSON_Print(root);
    if (!text) return meta_fail(error, "%s: out of memory", path);
    struct meta_chunk chunks[] = { { text, strlen(text) }, { "\n", 1 } };
    int status = meta_file_write(path, chunks, 2, error);
    cJSON_free(text);
    return status;
}

cJSON *meta_json_number(double x) { return isfinite(x) ? cJSON_CreateNumber(x) : cJSON_CreateNull(); }

double meta_json_get(const cJSON *object, const char *name)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(j) ? j->valuedouble : NAN;
}

const char *meta_json_text(const cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s ? s : "";
}

cJSON *meta_json_estimate(struct meta_estimate e)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, "mean", meta_json_number(e.mean));
    cJSON_AddItemToObject(j, "standard_error", meta_json_number(e.error));
    cJSON_AddItemToObject(j, "low", meta_json_number(e.low));
    cJSON_AddItemToObject(j, "high", meta_json_number(e.high));
    cJSON_AddItemToObject(j, "tasks", meta_json_number(e.n));
    return j;
}

struct meta_estimate meta_json_get_estimate(const cJSON *object, const char *name)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(object, name);
    double n = meta_json_get(j, "tasks");
    return (struct meta_estimate){ meta_json_get(j, "mean"), meta_json_get(j, "standard_error"), meta_json_get(j, "low"),
                                   meta_json_get(j, "high"), n > 0 ? n : 0 };
}

struct meta_estimate meta_json_estimate_first(const cJSON *result, int n)
{
    double *x = calloc(n + 1, sizeof *x);
    int count = 0;
    const cJSON *task;
    cJSON_ArrayForEach(task, cJSON_GetObjectItemCaseSensitive(result, "tasks"))
        if (x && count < n) x[count++] = meta_json_get(task, "auc_after");
    struct meta_estimate e = meta_estimate(x, sizeof *x, count);
    free(x);
    return e;
}
