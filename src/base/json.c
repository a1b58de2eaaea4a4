/* Reads and writes files of JSON, and gets numbers and texts out of cJSON objects. */
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
    if (!text) return meta_fail_memory_for(error, path);
    struct meta_chunk chunks[] = { { text, strlen(text) }, { "\n", 1 } };
    int status = meta_file_write(path, chunks, 2, error);
    cJSON_free(text);
    return status;
}

cJSON *meta_json_number(double x)
{
    return isfinite(x) ? cJSON_CreateNumber(x) : cJSON_CreateNull();
}

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
