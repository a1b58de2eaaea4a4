/* Estimates as JSON. */
#ifndef META_ESTIMATE_JSON_H
#define META_ESTIMATE_JSON_H

#include "base/json.h"
#include "estimate.h"

/* An object of mean, standard_error, low, high and tasks. */
cJSON *meta_json_estimate(struct meta_estimate);
struct meta_estimate meta_json_get_estimate(const cJSON *object, const char *name);
/* Of the AUCs after adaptation of the first `n` tasks of a result of `meta test`, or of all when it has fewer. */
struct meta_estimate meta_json_estimate_first(const cJSON *result, int n);

#endif
