/* The temperature of a test's answers. */
#ifndef META_RUN_TEMPERATURE_H
#define META_RUN_TEMPERATURE_H

#include "method.h"
#include "stats/temperature.h"

/* Finds it over all query images of runs (evaluation->runs) with their log_odds, as
   meta_temperature_fit does. The result is 1, with the reason, where the answers have none, and -1
   without memory. */
int meta_run_temperature(struct meta_temperature_fit *, const struct meta_run *runs,
                         const struct meta_evaluation *, struct meta_error *);

#endif
