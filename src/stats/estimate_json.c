/* Writes estimates as JSON objects and reads them again. */
#include "estimate_json.h"

#include <stdlib.h>

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
    return (struct meta_estimate){ meta_json_get(j, "mean"), meta_json_get(j, "standard_error"),
                                   meta_json_get(j, "low"), meta_json_get(j, "high"),
                                   n > 0 ? (int)n : 0 };
}

int meta_json_estimate_first(struct meta_estimate *out, const cJSON *result, int n,
                             struct meta_error *error)
{
    const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(result, "tasks"), *task;
    int count = 0, size = cJSON_GetArraySize(tasks);
    double *x = calloc((size_t)size + 1, sizeof *x);
    if (!x) return meta_fail_memory(error);
    cJSON_ArrayForEach(task, tasks) if (count < n) x[count++] = meta_json_get(task, "auc_after");
    *out = meta_estimate_share(x, sizeof *x, count);
    free(x);
    return 0;
}
