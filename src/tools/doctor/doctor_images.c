/* The doctor's look at what `meta adapt` and `meta predict` are given: labelled images of a few
   classes, images that are asked about. */
#include "adaptation/adapt.h"
#include "adaptation/weights_note.h"
#include "adaptation/distance.h"
#include "backends/backends.h"
#include "base/plural.h"
#include "doctor.h"
#include "images/image_paths.h"
#include "tasks/class_names.h"
#include "tasks/depth.h"
#include "tasks/labelled.h"
#include "tasks/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Images that are named one by one. */
#define MOST_IMAGES 5

/* ---- images like those of the training ------------------------------------------------------- */

/* What is found of images one after the other. */
struct looking {
    struct meta_doctor *d;
    const struct meta_data *data; /* says how 16-bit files are read */
    const char *subject;          /* of findings */
    struct meta_distance *distance;
    float *image;
    int bad, distant;
    const char *one; /* the first that is unlike */
};

static void look(struct looking *l, const char *path)
{
    struct meta_error error;
    double distance = NAN;
    int failed = meta_view_file(path, l->data, &l->d->model->net, l->image, &error);
    if (!failed) failed = isnan(distance = meta_distance_of(l->distance, l->image, &error));
    if (failed && ++l->bad <= MOST_IMAGES)
        meta_doctor_say(l->d, META_WRONG, l->subject, "%s", error.text);
    if (distance > META_DISTANT && !l->distant++) l->one = path;
}

static void look_at_all(struct meta_doctor *d, const struct meta_data *data, char *const *paths,
                        int count)
{
    struct meta_error error;
    static const char subject[] = "images";
    struct looking l = { .d = d, .data = data, .subject = subject };
    const struct meta_backend *backend = meta_backend_find("onednn");
    l.image = malloc(meta_shape_numbers(d->model->network->input) * sizeof *l.image);
    if (!l.image) meta_fail_memory(&error);
    if (!l.image || backend->open(&error)
        || meta_distance_create(&l.distance, &d->filled, backend, &error)) {
        meta_doctor_say(d, META_WRONG, subject, "%s", error.text);
        free(l.image);
        return;
    }
    for (int i = 0; i < count; i++) look(&l, paths[i]);
    if (l.bad > MOST_IMAGES)
        meta_doctor_say(d, META_WRONG, subject, "%d images more can't be read",
                        l.bad - MOST_IMAGES);
    if (l.distant)
        meta_doctor_say(d, META_WARNING, subject,
                        "%d of %d images %s unlike those that %s knows, such as %s: answers to "
                        "such images may be worth nothing: try it on some whose class is known",
                        l.distant, count, l.distant == 1 ? "is" : "are", d->weights_path, l.one);
    else if (!l.bad)
        meta_doctor_say(d, META_OK, subject, "%d image%s, all read, like those that %s knows",
                        count, meta_plural(count), d->weights_path);
    meta_distance_free(l.distance);
    free(l.image);
}

/* ---- adapt ----------------------------------------------------------------------------------- */

static void say_alike(struct meta_doctor *d, const struct meta_labelled *l)
{
    int pair[2];
    if (meta_class_names_alike(pair, l->names, l->classes))
        meta_doctor_say(d, META_WARNING, "classes",
                        "%s: %s and %s differ in capitals alone: they are taken for two classes",
                        d->data_path, l->names[pair[0]], l->names[pair[1]]);
}

static void say_unread(struct meta_doctor *d, const struct meta_labelled *l)
{
    if (l->others)
        meta_doctor_say(d, META_WARNING, "data",
                        "%s: %d file%s, such as %s, not read: no image by the name", d->data_path,
                        l->others, meta_plural(l->others), l->other);
    if (l->loose)
        meta_doctor_say(d, META_WARNING, "data",
                        "%s: %d image%s, such as %s, not read: in no folder of a class",
                        d->data_path, l->loose, meta_plural(l->loose), l->one_loose);
    if (l->unread && !l->grouped)
        meta_doctor_say(d, META_WARNING, "groups",
                        "%s: no column group: each image is taken for unlike any other; columns "
                        "not read: %s",
                        d->data_path, l->unread);
}

void meta_doctor_support(struct meta_doctor *d)
{
    if (!d->model || !d->data) return;
    int classes = d->data->classes, most = meta_adapt_most_classes(d->model->network);
    char words[META_ADAPT_WORDS];
    const struct meta_labelled *l = d->data->labelled;
    const struct meta_list_report *train = &d->list[META_LIST_TRAIN];
    if (classes < 2 || classes > most)
        meta_doctor_say(d, META_WRONG, "classes",
                        "%s: %d class%s: must be %s, which %s tells apart: leave some out, or "
                        "train with more ways",
                        d->data_path, classes, meta_plural_es(classes),
                        meta_adapt_classes(words, most), d->cfg_path);
    if (l) say_alike(d, l);
    if (l) say_unread(d, l);
    if (l && l->nested && !l->grouped)
        meta_doctor_say(d, META_WARNING, "groups",
                        "%s: %d images lie in folders of a class's folder: if those are patients "
                        "or lesions, say -groups folders",
                        d->data_path, l->nested);
    if (!train->set || !d->filled.parameters) return;
    /* the list's 16-bit files were looked at together: some may be dark */
    struct meta_data data = *d->data;
    if (!data.range) data.range = META_WHITE;
    look_at_all(d, &data, train->set->paths, train->set->count);
}

/* ---- predict --------------------------------------------------------------------------------- */

static void check_order(struct meta_doctor *d, int classes)
{
    struct meta_error error;
    const struct meta_class_order own = { d->data_path, d->data->names, classes };
    const struct meta_class_files files = { d->cfg_path, (char *const *)&d->weights_path, 1 };
    if (meta_class_notes_check(&own, &files, &error))
        meta_doctor_say(d, META_WRONG, "classes", "%s", error.text);
    else if (meta_class_notes_alike(&own, &files, &error))
        meta_doctor_say(d, META_WARNING, "classes", "%s", error.text);
    if (d->filled.parameters && meta_weights_note_check(&files, 0, &error))
        meta_doctor_say(d, META_WARNING, "weights", "%s", error.text);
}

void meta_doctor_asked(struct meta_doctor *d)
{
    struct meta_paths paths;
    struct meta_error error;
    if (!d->model || !d->data) return;
    int outputs = meta_network_outputs(d->model->network);
    if (d->data->classes != outputs)
        meta_doctor_say(d, META_WRONG, "classes",
                        "%s: classes=%d: must be %d, the probabilities that %s gives", d->data_path,
                        d->data->classes, outputs, d->cfg_path);
    else check_order(d, outputs);
    if (meta_paths_find(&paths, d->words, d->word_count, &error))
        meta_doctor_say(d, META_WRONG, "images", "%s", error.text);
    else {
        if (paths.others)
            meta_doctor_say(d, META_WARNING, "images",
                            "%d file%s, such as %s, not read: no image by the name", paths.others,
                            meta_plural(paths.others), paths.other[0]);
        if (d->filled.parameters) look_at_all(d, d->data, paths.path, paths.count);
    }
    meta_paths_clear(&paths);
}
