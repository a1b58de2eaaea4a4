/* The doctor's examination: every part in its order. */
#include "doctor.h"

int meta_doctor_examine(struct meta_doctor *d, struct meta_error *error)
{
    meta_doctor_programs(d);
    meta_doctor_cfg(d);
    meta_doctor_data(d);
    /* The child is started before this process has threads, and before it has images. */
    if (d->model && d->data && meta_child_start(&d->child, meta_dry_run_serve, d, error)) return -1;
    meta_doctor_lists(d);
    meta_doctor_alike(d);
    meta_doctor_backup(d);
    meta_doctor_cost(d);
    return 0;
}

void meta_doctor_clear(struct meta_doctor *d)
{
    meta_child_free(d->child);
    for (int i = 0; i < META_LISTS; i++) {
        meta_dataset_free(d->list[i].set);
        meta_survey_clear(&d->list[i].survey);
    }
    meta_data_free(d->data);
    meta_model_free(d->model);
}
