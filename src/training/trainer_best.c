/* Keeps the weights that the valid list finds best. */
#include "trainer_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "network/weights.h"

/* A figure as the log's file has it: a training that was resumed has read the earlier ones there,
   and is to compare as one that was not. */
static double as_logged(double figure)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g", figure);
    return strtod(text, NULL);
}

/* Whether the AUC, with images the accuracy, is higher than that of `other`. Accuracies of few
   images are often equal: then the lower loss is better. Of equals the earlier stays. */
static int is_better(const struct meta_row *row, const struct meta_row *other)
{
    double a = as_logged(row->auc), b = as_logged(other->auc);
    return a != b ? a > b : as_logged(row->valid_loss) < as_logged(other->valid_loss);
}

void meta_trainer_keep_best(struct meta_trainer *t, const struct meta_row *row)
{
    if (isnan(row->auc) || (t->best.iteration && !is_better(row, &t->best))) return;
    pthread_mutex_lock(&t->lock);
    t->best_failed = meta_trainer_write_weights(t, t->path[META_TRAINING_BEST], &t->best_error);
    if (!t->best_failed) meta_trainer_remove_temperatures(t->path[META_TRAINING_BEST]);
    pthread_mutex_unlock(&t->lock);
    if (!t->best_failed) t->best = *row;
}

/* Says why it is not known how good the weights of an iteration are, whose file is there. */
static void look_anew(struct meta_trainer *t, uint64_t iteration)
{
    const char *path = t->path[META_TRAINING_BEST];
    t->best = (struct meta_row){ 0 };
    if (*t->anew.text || iteration <= t->measured_since || !(t->evaluator || t->holdout)) return;
    if (iteration > t->done)
        meta_fail(&t->anew,
                  "%s is of iteration %llu, which is past that of %s: the best is looked for anew",
                  path, (unsigned long long)iteration, t->path[META_TRAINING_STATE]);
    else
        meta_fail(&t->anew,
                  "%s lacks the figure of iteration %llu, of %s: how good that was is not known, "
                  "the best is looked for anew",
                  t->path[META_TRAINING_LOG], (unsigned long long)iteration, path);
}

/* The file says how many images its weights have seen, and so which row of the log is theirs. Where
   that row has no figure, because the run was killed before it was written, the iteration is
   watched again, and has to be better than the best of the others. Figures of other measures than
   the ones to come are nothing to compare with. */
void meta_trainer_find_best(struct meta_trainer *t, int again)
{
    struct meta_weights_head head;
    struct meta_error ignored;
    const char *path = t->path[META_TRAINING_BEST];
    if (access(path, F_OK)
        || meta_weights_read(t->model->network, path, t->parameters, t->statistics, &head,
                             &ignored))
        return;
    uint64_t iteration = head.seen / t->images;
    const struct meta_row *end = t->log.rows + t->log.count;
    for (const struct meta_row *row = t->log.rows; row < end; row++) {
        if (isnan(row->auc) || row->iteration <= t->measured_since) continue;
        int own = row->iteration == iteration;
        if (own || !t->best.iteration || is_better(row, &t->best)) t->best = *row;
        if (own) return;
    }
    if (iteration != t->done || !again) look_anew(t, iteration);
}

const struct meta_row *meta_trainer_best(const struct meta_trainer *t)
{
    return t->best.iteration ? &t->best : NULL;
}

const char *meta_trainer_best_anew(const struct meta_trainer *t)
{
    return *t->anew.text ? t->anew.text : NULL;
}

int meta_trainer_best_failed(struct meta_trainer *t, struct meta_error *error)
{
    int failed = t->best_failed;
    if (failed) *error = t->best_error;
    t->best_failed = 0;
    return failed;
}
