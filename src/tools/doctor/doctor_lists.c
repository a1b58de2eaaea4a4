/* The doctor's look at the lists: every image, classes, groups, and what two lists share. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/plural.h"
#include "base/pool.h"
#include "doctor.h"
#include "tasks/alike.h"
#include "tasks/shared.h"
#include "tasks/curriculum.h"
#include "tasks/depth.h"
#include "tasks/episode.h"
#include "tasks/data_open.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Bad lines of a list that are named one by one. */
#define MOST_LINES 5

/* ---- one list -------------------------------------------------------------------------------- */

/* Says what range the 16-bit files of a list have. */
static void say_depth(struct meta_doctor *d, const struct meta_list_report *l)
{
    struct meta_depth depth = meta_depth_of(l->set);
    char text[META_DEPTH_TEXT];
    if (!depth.files) return;
    meta_depth_text(text, &depth, d->data);
    meta_doctor_say(d, depth.dark && !d->data->range ? META_WARNING : META_OK, l->name, "%s: %s",
                    l->path, text);
}

/* Reads and decodes a list, and says what can't be used. */
static void survey(struct meta_doctor *d, struct meta_list_report *l, struct meta_pool *pool)
{
    const struct meta_net_settings *net = &d->model->net;
    struct meta_error error;
    const struct meta_dataset_source source = { .data = d->data,
                                                .list = l->path,
                                                .width = net->width,
                                                .height = net->height,
                                                .channels = net->channels,
                                                .orientation = net->orientation,
                                                .side = l == &d->list[META_LIST_TRAIN]
                                                    ? net->max_crop
                                                    : 0 };
    double begun = meta_now();
    if (meta_dataset_survey(&l->set, &l->survey, &source, pool, &error)) {
        meta_doctor_say(d, META_WRONG, l->name, "%s", error.text);
        return;
    }
    l->seconds = meta_now() - begun;
    const struct meta_survey *s = &l->survey;
    char time[32];
    meta_format_time(time, sizeof time, l->seconds);
    for (int i = 0; i < s->bad_count && i < MOST_LINES; i++)
        meta_doctor_say(d, META_WRONG, l->name, "%s", s->bad[i]);
    if (s->bad_count > MOST_LINES)
        meta_doctor_say(d, META_WRONG, l->name, "%s: %d lines more that can't be used", l->path,
                        s->bad_count - MOST_LINES);
    if (s->bad_count)
        meta_doctor_say(d, META_WRONG, l->name,
                        "%s: %d of %d lines can't be used: mend or remove them", l->path,
                        s->bad_count, l->set->count + s->bad_count);
    else
        meta_doctor_say(d, META_OK, l->name,
                        "%s: %d images, all decoded, %.0f MB in memory, %s to load", l->path,
                        l->set->count, s->bytes / 1e6, time);
    if (meta_depth_check(l->set, d->data, &error))
        meta_doctor_say(d, META_WRONG, l->name, "%s", error.text);
    say_depth(d, l);
    if (s->small)
        meta_doctor_say(d, META_WARNING, l->name,
                        "%d of %d images are smaller than %dx%d and will be enlarged: a smaller "
                        "width and height in [net] is as good and faster",
                        s->small, l->set->count, net->width, net->height);
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Says when a curriculum can't keep a window for every combination of classes. */
static void check_kinds(struct meta_doctor *d, const struct meta_sampler *sampler)
{
    struct meta_curriculum *curriculum = NULL;
    struct meta_error error;
    if (d->model->episode->sampler != META_CURRICULUM) return;
    if (meta_curriculum_create(&curriculum, meta_sampler_classes(sampler), d->model->episode, 1, 1,
                               &error))
        meta_doctor_say(d, META_WRONG, "classes", "[episode] %s", error.text);
    meta_curriculum_free(curriculum);
}

/* Of the labelled images of meta adapt, which must have each class. */
static void say_support(struct meta_doctor *d, const struct meta_list_report *l, const int *count)
{
    for (int k = 0; k < l->set->classes; k++)
        if (!count[k])
            meta_doctor_say(d, META_WRONG, "classes",
                            "%s: has no image of %s: add some, or leave the class out", l->path,
                            l->set->names[k]);
        else if (count[k] == 1)
            meta_doctor_say(d, META_WARNING, "classes",
                            "%s: has one image of %s: leave-one-out can't ask about it: add "
                            "another",
                            l->path, l->set->names[k]);
}

/* Of a list that no tasks are drawn from: how many images its classes have. */
static void count_images(struct meta_doctor *d, const struct meta_list_report *l)
{
    int *count = meta_dataset_class_counts(l->set), classes = 0, least = 0, most = 0,
        outputs = meta_network_outputs(d->model->network);
    if (!count) {
        meta_doctor_say(d, META_WRONG, "classes", "out of memory");
        return;
    }
    for (int k = 0; k < l->set->classes; k++) {
        if (!count[k]) continue;
        if (!classes++ || count[k] < least) least = count[k];
        if (count[k] > most) most = count[k];
    }
    if (d->task == META_DOCTOR_ADAPT) say_support(d, l, count);
    else if (l == &d->list[META_LIST_TRAIN] && classes != outputs)
        meta_doctor_say(d, META_WRONG, "classes",
                        "%s: has images of %d class%s, but %s has %d outputs: must be as many",
                        l->path, classes, meta_plural_es(classes), d->cfg_path, outputs);
    meta_doctor_say(d, META_OK, "classes", "%s: %d class%s of %d to %d images", l->name, classes,
                    meta_plural_es(classes), least, most);
    free(count);
}

static void check_classes(struct meta_doctor *d, const struct meta_list_report *l)
{
    const struct meta_episode_settings *e = d->model->episode;
    struct meta_sampler *sampler = NULL;
    struct meta_error error;
    char counts[240] = "";
    int *count = meta_dataset_class_counts(l->set), classes = 0, least = 0, most = 0;
    if (!count) {
        meta_doctor_say(d, META_WRONG, "classes", "out of memory");
        return;
    }
    if (meta_sampler_create(&sampler, l->set, e, &error)) {
        int trained = l != &d->list[META_LIST_TEST];
        meta_doctor_say(d, trained ? META_WRONG : META_WARNING, "classes",
                        "%s: add images or classes, or lower %s", error.text,
                        trained ? "ways, shots or queries in [episode]"
                                : "them: meta test can't draw its tasks");
        free(count);
        return;
    }
    for (int k = 0; k < l->set->classes; k++) {
        if (!count[k]) continue;
        if (!classes++ || count[k] < least) least = count[k];
        if (count[k] > most) most = count[k];
        size_t used = strlen(counts);
        if (used + 80 < sizeof counts)
            snprintf(counts + used, sizeof counts - used, "%s%.60s %d", used ? ", " : "",
                     l->set->names[k], count[k]);
    }
    if (classes <= 8)
        meta_doctor_say(d, META_OK, "classes", "%s: %s: enough for %d + %d", l->name, counts,
                        e->shots, e->queries);
    else
        meta_doctor_say(d, META_OK, "classes",
                        "%s: %d classes of %d to %d images: enough for %d + %d", l->name, classes,
                        least, most, e->shots, e->queries);
    if (l == &d->list[META_LIST_TRAIN]) check_kinds(d, sampler);
    meta_sampler_free(sampler);
    free(count);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    int p = *(const int *)a, q = *(const int *)b;
    return (p > q) - (p < q);
}

/* The groups of a list, ascending, each once. A number means the same group in every list of a
   .data file. The caller frees; NULL when there is no memory. */
static int *groups_of(const struct meta_dataset *set, int *count)
{
    int *group = malloc((set->count + 1) * sizeof *group), n = 0;
    *count = 0;
    if (!group) return NULL;
    for (int i = 0; i < set->count; i++)
        if (set->named_group[i] >= 0) group[n++] = set->named_group[i];
    qsort(group, n, sizeof *group, by_number);
    for (int i = 0; i < n; i++)
        if (!*count || group[i] != group[*count - 1]) group[(*count)++] = group[i];
    return group;
}

static void check_groups(struct meta_doctor *d, const struct meta_list_report *l)
{
    int n, none = meta_dataset_groupless(l->set), *group = groups_of(l->set, &n);
    if (!group) meta_doctor_say(d, META_WRONG, "groups", "out of memory");
    else if (none)
        meta_doctor_say(d, META_WARNING, "groups",
                        "%s: %s does not name %d of %d images, which count as unlike any other: "
                        "name them there if some show the same thing",
                        l->name, meta_data_groups_source(d->data), none, l->set->count);
    else
        meta_doctor_say(d, META_OK, "groups",
                        "%s: %d images in %d groups, never on both sides of a task", l->name,
                        l->set->count, n);
    free(group);
}

/* Says how many images of a list are copies of others of their class. */
static void check_copies(struct meta_doctor *d, const struct meta_list_report *l)
{
    const struct meta_dataset *set = l->set;
    int n = meta_dataset_copies(set), i = 0;
    if (!n) return;
    while (set->copy_of[i] < 0) i++;
    int k = set->copy_of[i];
    if (!set->lines[i]) {
        meta_doctor_say(d, META_WARNING, l->name,
                        "%d of %d images are the same, byte for byte, as another, such as %s and "
                        "%s: they count twice: keep one of each",
                        n, set->count, set->paths[k], set->paths[i]);
        return;
    }
    meta_doctor_say(d, META_WARNING, l->name,
                    "%d of %d images are the same, byte for byte, as an earlier one, such as "
                    "%s:%d: "
                    "%s and line %d: %s: no task has them on both sides, but they count twice: "
                    "keep "
                    "one of each",
                    n, set->count, l->path, set->lines[i], set->paths[i], set->lines[k],
                    set->paths[k]);
}

/* ---- what two lists share -------------------------------------------------------------------- */

/* Number of groups that have images in both lists; -1 without memory. */
static int shared_groups(const struct meta_dataset *a, const struct meta_dataset *b)
{
    int n, m, *p = groups_of(a, &n), *q = groups_of(b, &m), both = p && q ? 0 : -1;
    for (int i = 0, k = 0; p && q && i < n && k < m;) {
        int first = p[i], second = q[k];
        both += first == second;
        i += first <= second;
        k += first >= second;
    }
    free(p);
    free(q);
    return both;
}

/* Number of classes that have images in both lists, -1 without memory; *one is the name of one. */
static int shared_classes(const struct meta_dataset *a, const struct meta_dataset *b,
                          const char **one)
{
    int *p = meta_dataset_class_counts(a), *q = meta_dataset_class_counts(b),
        both = p && q ? 0 : -1;
    for (int k = 0; p && q && k < a->classes; k++)
        if (p[k] && q[k] && !both++) *one = a->names[k];
    free(p);
    free(q);
    return both;
}

/* Says what two lists share that they should not; `a` stands before `b` in the .data file. */
static void check_pair(struct meta_doctor *d, const struct meta_list_report *a,
                       const struct meta_list_report *b)
{
    const char *one = NULL;
    struct meta_shared shared;
    struct meta_error error;
    if (meta_shared_find(&shared, b->set, a->set, &error))
        meta_doctor_say(d, META_WRONG, "lists", "%s", error.text);
    else if (shared.count) {
        int i = shared.image, k = shared.twin;
        meta_doctor_say(d, META_WRONG, "lists",
                        "%d image%s of %s %s the same as one of %s%s, such as %s:%d: %s and %s:%d: "
                        "%s: "
                        "remove them from one list",
                        shared.count, meta_plural(shared.count), b->name,
                        shared.count == 1 ? "is" : "are", a->name,
                        shared.frames ? ", or of one file with it" : "", b->path, b->set->lines[i],
                        b->set->paths[i], a->path, a->set->lines[k], a->set->paths[k]);
        return;
    }
    int groups = shared_groups(a->set, b->set);
    int classes = b == &d->list[META_LIST_TEST] ? shared_classes(a->set, b->set, &one) : 0;
    if (groups < 0 || classes < 0) {
        meta_doctor_say(d, META_WRONG, "lists", "out of memory");
        return;
    }
    if (groups)
        meta_doctor_say(d, META_WARNING, "lists",
                        "%d group%s ha%s images in %s and in %s, which makes the second's AUC too "
                        "good: keep a group in one list",
                        groups, meta_plural(groups), groups == 1 ? "s" : "ve", a->name, b->name);
    if (classes)
        meta_doctor_say(d, META_WARNING, "lists",
                        "%d class%s of test, %s one of them, %s in %s too: meta test is meant for "
                        "classes not seen before",
                        classes, meta_plural_es(classes), one, classes == 1 ? "is" : "are",
                        a->name);
    if (!groups && !classes)
        meta_doctor_say(d, META_OK, "lists", "%s and %s share nothing that they should not",
                        a->name, b->name);
}

/* ---- all of them ----------------------------------------------------------------------------- */

void meta_doctor_lists(struct meta_doctor *d)
{
    struct meta_pool *pool;
    struct meta_error error;
    struct rusage before, after;
    if (!d->model || !d->data) return;
    getrusage(RUSAGE_SELF, &before);
    if (meta_pool_create(&pool, d->threads, &error)) {
        meta_doctor_say(d, META_WRONG, "lists", "%s", error.text);
        return;
    }
    for (struct meta_list_report *l = d->list; l < d->list + META_LISTS; l++)
        if (l->path) survey(d, l, pool);
    meta_pool_free(pool);
    getrusage(RUSAGE_SELF, &after);
    d->reading = 1024. * (after.ru_maxrss - before.ru_maxrss);
    for (int i = 0; i < META_LISTS; i++) /* a training makes no thumbnails */
        if (d->list[i].set)
            d->reading -= (double)d->list[i].set->count * sizeof(struct meta_thumbnail);
    if (d->reading < 0) d->reading = 0;
    for (int i = 0; i < META_LISTS; i++)
        if (d->list[i].set) check_copies(d, &d->list[i]);
    for (int i = 0; i < META_LISTS; i++)
        if (d->list[i].set && d->task != META_DOCTOR_TRAIN) count_images(d, &d->list[i]);
        else if (d->list[i].set) check_classes(d, &d->list[i]);
    int grouped = meta_data_grouped(d->data);
    if (!grouped)
        meta_doctor_say(d, META_OK, "groups",
                        "none: %s has no %s, every image counts as unlike any other, but for "
                        "copies and pages of one file",
                        d->data_path, d->data->labelled ? "groups" : "groups=");
    for (int i = 0; grouped && i < META_LISTS; i++)
        if (d->list[i].set) check_groups(d, &d->list[i]);
    for (int i = 0; i < META_LISTS; i++)
        for (int k = i + 1; k < META_LISTS; k++)
            if (d->list[i].set && d->list[k].set) check_pair(d, &d->list[i], &d->list[k]);
}
