/* The doctor's look at the two files, the .cfg and the .data file. */
#include "adaptation/adapt.h"
#include "config/purpose.h"
#include "doctor.h"
#include "learning/notices.h"

static void say_notice(void *doctor, const char *text)
{
    meta_doctor_say(doctor, META_WARNING, "cfg", "%s", text);
}

void meta_doctor_schedule(struct meta_doctor *d)
{
    if (d->model->net.max_batches < 1)
        meta_doctor_say(d, META_WRONG, "cfg",
                        "[net] max_batches: is 0 or not there: meta %s begins only with "
                        "-max_batches: write it",
                        d->task == META_DOCTOR_PRETRAIN ? "pretrain" : "train");
    else meta_notices(d->model, say_notice, d);
}

static void say_cfg(struct meta_doctor *d)
{
    const struct meta_model *m = d->model;
    const struct meta_shape in = m->network->input;
    if (d->task == META_DOCTOR_TRAIN)
        meta_doctor_say(d, META_OK, "cfg",
                        "%s: %zu parameters, %dx%dx%d, %d iterations of %d tasks: %d ways, %d + %d "
                        "images a class, %d steps, order %d",
                        m->path, m->network->parameters, in.w, in.h, in.c, m->net.max_batches,
                        m->episode->tasks, m->episode->ways, m->episode->shots, m->episode->queries,
                        m->inner->steps, m->inner->order);
    else if (d->task == META_DOCTOR_PRETRAIN)
        meta_doctor_say(d, META_OK, "cfg",
                        "%s: %zu parameters, %dx%dx%d, %d classes, %d iterations of %d images",
                        m->path, m->network->parameters, in.w, in.h, in.c,
                        meta_network_outputs(m->network), m->net.max_batches, m->net.batch);
    else
        meta_doctor_say(d, META_OK, "cfg", "%s: %zu parameters, %dx%dx%d", m->path,
                        m->network->parameters, in.w, in.h, in.c);
}

void meta_doctor_cfg(struct meta_doctor *d)
{
    static const enum meta_purpose purposes[] = { META_FOR_TASKS, META_FOR_IMAGES, META_FOR_TASKS,
                                                  META_FOR_ANY };
    struct meta_error error;
    if (meta_model_load_for(&d->model, d->cfg_path, purposes[d->task], &error)) {
        meta_doctor_say(d, META_WRONG, "cfg", "%s", error.text);
        return;
    }
    say_cfg(d);
    if (d->task == META_DOCTOR_TRAIN || d->task == META_DOCTOR_PRETRAIN) meta_doctor_schedule(d);
    if (d->task == META_DOCTOR_PREDICT
        && meta_purpose_check_adapted(d->model, "`meta adapt` makes a classifier of it", &error))
        meta_doctor_say(d, META_WRONG, "cfg", "%s", error.text);
    if (d->task == META_DOCTOR_ADAPT
        && meta_adapt_check_network(d->model->network, d->cfg_path, &error))
        meta_doctor_say(d, META_WRONG, "cfg", "%s", error.text);
}

/* What there is none of is wrong where the task needs it. */
static void say_lists(struct meta_doctor *d)
{
    const char *names[META_LISTS] = { "train", "valid", "test" },
               *paths[META_LISTS] = { d->data->train, d->data->valid, d->data->test };
    const char *lacks[META_LISTS] = { "training needs a list of images",
                                      d->task == META_DOCTOR_TRAIN
                                          ? "no AUC is watched while training"
                                          : "no accuracy is watched while training",
                                      "meta test needs it" };
    int count = d->task == META_DOCTOR_TRAIN ? META_LISTS
        : d->task == META_DOCTOR_PRETRAIN    ? META_LIST_TEST
                                             : META_LIST_VALID;
    if (d->task == META_DOCTOR_ADAPT)
        lacks[META_LIST_TRAIN] = "it must be the list of the labelled images";
    for (int i = 0; i < count; i++) {
        d->list[i] = (struct meta_list_report){ .name = names[i], .path = paths[i] };
        if (!paths[i])
            meta_doctor_say(d, i == META_LIST_TRAIN ? META_WRONG : META_WARNING, "data",
                            "%s: has no %s=: %s", d->data_path, names[i], lacks[i]);
    }
}

void meta_doctor_data(struct meta_doctor *d)
{
    struct meta_error error;
    if (d->task == META_DOCTOR_ADAPT ? meta_data_open(&d->data, d->data_path, &d->flags, &error)
                                     : meta_data_read(&d->data, d->data_path, &error)) {
        meta_doctor_say(d, META_WRONG, "data", "%s", error.text);
        return;
    }
    meta_doctor_say(d, META_OK, "data", "%s: %d classes", d->data_path, d->data->classes);
    if (d->task != META_DOCTOR_PREDICT) say_lists(d);
}
