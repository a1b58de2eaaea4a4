/* Reads and writes files of JSON, and gets numbers and texts out of cJSON objects. */
#include "json.h"
#include "file.h"
#include "utf8.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Whether cJSON has ever been refused memory: what it made since may lack members. */
static atomic_bool incomplete;

static void *allocate(size_t size)
{
    void *p = malloc(size);
    if (!p) incomplete = 1;
    return p;
}

void meta_json_watch(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = allocate, .free_fn = free });
}

/* Restores the names and texts of an item, of those behind it and of all inside them. */
static void restore(cJSON *item)
{
    for (; item; item = item->next) {
        if (item->string) meta_utf8_restore(item->string);
        if (item->valuestring) meta_utf8_restore(item->valuestring);
        restore(item->child);
    }
}

/* Parses all of the `size` bytes at `text`. */
static cJSON *parse(const char *text, size_t size, const char *path, struct meta_error *error)
{
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithOpts(text, &end, 0);
    if (!root && incomplete) meta_fail_memory_for(error, path);
    if (root) end += strspn(end, " \t\r\n");
    if ((root && end == text + size) || (!root && incomplete)) return root;
    int line = 1;
    for (const char *p = text; end && p < end; p++) line += *p == '\n';
    meta_fail(error, root ? "%s:%d: has more behind its JSON" : "%s:%d: is not JSON", path, line);
    cJSON_Delete(root);
    return NULL;
}

int meta_json_read(cJSON **root, const char *path, struct meta_error *error)
{
    char *text;
    size_t size;
    *root = NULL;
    if (meta_file_read(path, &text, &size, error)) return -1;
    *root = parse(text, size, path, error);
    free(text);
    restore(*root);
    return *root ? 0 : -1;
}

char *meta_json_print(const cJSON *root)
{
    char *bytes = incomplete ? NULL : cJSON_Print(root);
    char *text = bytes ? meta_utf8_escape(bytes) : NULL;
    cJSON_free(bytes);
    return text;
}

int meta_json_write(const char *path, const cJSON *root, struct meta_error *error)
{
    char *text = meta_json_print(root);
    if (!text) return meta_fail_memory_for(error, path);
    struct meta_chunk chunks[] = { { text, strlen(text) }, { "\n", 1 } };
    int status = meta_file_write(path, chunks, 2, error);
    free(text);
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
