/* cJSON's objects as files, and the numbers and texts that JSON has no word for. JSON is UTF-8: a
   text that is not, such as a path of Latin-1, is written by meta_utf8_escape's rule, and is itself
   again when it is read. */
#ifndef META_JSON_H
#define META_JSON_H

#include <cjson/cJSON.h>

#include "error.h"

/* Has cJSON's allocations watched: after one has failed, meta_json_print and _write fail too, since
   a member whose memory is missing is left out by cJSON without a word. For main(), before any
   other call of cJSON. */
void meta_json_watch(void);

/* Parses a file; one that is not JSON, or has more behind it, is an error. The caller deletes
 *root; after a failure there is none. What the members are is not looked at: see json_check.h. */
int meta_json_read(cJSON **root, const char *path, struct meta_error *);
/* Writes an indented file, whole or not at all. */
int meta_json_write(const char *path, const cJSON *root, struct meta_error *);
/* The same as text. The caller frees; NULL when there is no memory. */
char *meta_json_print(const cJSON *root);

/* JSON has no NaN: one is written as null. A member that is no number, or is missing, is read as
   NaN. */
cJSON *meta_json_number(double);
double meta_json_get(const cJSON *object, const char *name);
/* The text of a member; "" for one that is no text or is missing. */
const char *meta_json_text(const cJSON *object, const char *name);

#endif
