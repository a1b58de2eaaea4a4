/* Estimates as JSON. */
#ifndef META_ESTIMATE_JSON_H
#define META_ESTIMATE_JSON_H

#include "base/json.h"
#include "estimate.h"

/* An object of mean, standard_error, low, high and tasks, in which NaN is null. The caller deletes
   it. */
cJSON *meta_json_estimate(struct meta_estimate);
/* Reads the estimate `name` of an object. What is missing is NaN, and the number of tasks 0. */
struct meta_estimate meta_json_get_estimate(const cJSON *object, const char *name);
/* The mean AUC after adaptation over the first n tasks of a result of `meta test`, or over all
   tasks when the result has fewer. */
int meta_json_estimate_first(struct meta_estimate *out, const cJSON *result, int n,
                             struct meta_error *);

#endif
