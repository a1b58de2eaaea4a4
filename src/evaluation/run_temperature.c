/* Hands the answers of a test to the fit of a temperature. */
#include "run_temperature.h"
#include "engine/log_odds.h"

#include <stdlib.h>

int meta_run_temperature(struct meta_temperature_fit *fit, const struct meta_run *runs,
                         const struct meta_evaluation *e, struct meta_error *error)
{
    const struct meta_episode_settings *t = &e->episode;
    int images = t->ways * t->queries, *labels = malloc(images * sizeof *labels);
    size_t numbers = (size_t)e->runs * images * t->ways;
    double *logs = malloc(numbers * sizeof *logs);
    int status = labels && logs ? 0 : meta_fail_memory(error);
    if (!status) {
        /* the answers of all tasks lie one after the other */
        for (size_t i = 0; i < numbers; i++) logs[i] = -meta_log_odds_loss(runs->log_odds[i]);
        for (int i = 0; i < images; i++) labels[i] = i / t->queries;
        const struct meta_temperature_answers answers = { e->runs, images, t->ways, logs, labels };
        if (meta_temperature_fit(fit, &answers, error)) status = 1;
    }
    free(labels);
    free(logs);
    return status;
}
