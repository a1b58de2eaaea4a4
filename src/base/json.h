/* cJSON's objects as files, and what JSON has no word for. */
#ifndef META_JSON_H
#define META_JSON_H

#include <cjson/cJSON.h>

#include "error.h"

/* The caller deletes *root. Refuses what is not JSON. */
int meta_json_read(cJSON **root, const char *path, struct meta_error *);
/* Whole or not at all, indented. */
int meta_json_write(const char *path, const cJSON *root, struct meta_error *);

/* JSON has no NaN: null, and NaN for what is no number or is not there. */
cJSON *meta_json_number(double);
double meta_json_get(const cJSON *object, const char *name);
/* "" for what is no text or is not there. */
const char *meta_json_text(const cJSON *object, const char *name);

#endif
