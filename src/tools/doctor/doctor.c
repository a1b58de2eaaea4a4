/* The doctor's examination: every part in its order. */
#include "doctor.h"

#include <stdlib.h>

int meta_doctor_examine(struct meta_doctor *d, struct meta_error *error)
{
    int trains = d->task == META_DOCTOR_TRAIN || d->task == META_DOCTOR_PRETRAIN;
    meta_doctor_programs(d);
    meta_doctor_cfg(d);
    meta_doctor_weights(d);
    meta_doctor_data(d);
    if (d->task == META_DOCTOR_PREDICT) {
        meta_doctor_asked(d);
        return 0;
    }
    /* The child is started before this process has threads, and before it has images. */
    if (d->task == META_DOCTOR_TRAIN && d->model && d->data
        && meta_child_start(&d->child, meta_dry_run_serve, d, error))
        return -1;
    meta_doctor_lists(d);
    if (d->task == META_DOCTOR_ADAPT) meta_doctor_support(d);
    meta_doctor_alike(d);
    if (trains) meta_doctor_backup(d);
    if (d->task == META_DOCTOR_TRAIN) meta_doctor_cost(d);
    return 0;
}

void meta_doctor_clear(struct meta_doctor *d)
{
    meta_child_free(d->child);
    for (int i = 0; i < META_LISTS; i++) {
        meta_dataset_free(d->list[i].set);
        meta_survey_clear(&d->list[i].survey);
    }
    free(d->filled.parameters);
    free(d->filled.statistics);
    meta_data_free(d->data);
    meta_model_free(d->model);
}
