/* darknet meta evaluate: how good a classifier is on labelled images that it has not learned from.
 */
#define _GNU_SOURCE
#include "base/plural.h"
#include "classifier.h"
#include "console.h"
#include "evaluate_files.h"
#include "evaluate_names.h"
#include "evaluate_print.h"
#include "flags.h"
#include "learned_from.h"
#include "tasks/data_open.h"
#include "tasks/shared.h"
#include "tell_labelled.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the command line asks for. */
struct request {
    struct meta_classifier_words classifier;
    const char *data, *list, *names, *sensitivity, *chosen_on, *threads;
    struct meta_evaluate_files files;
    struct meta_data_flags said;
};

struct parts {
    struct meta_classifier classifier;
    struct meta_pool *pool;
    struct meta_evaluate_names names;
    struct meta_data *data, *elsewhere; /* what is evaluated; what thresholds are chosen on, or
                                       NULL: a list of the same */
    struct meta_data_flags said, said_elsewhere; /* what each takes of the flags */
    const char *list, *chosen_on; /* the images of either; chosen_on NULL: no thresholds */
    double sensitivity;
    struct meta_answers answers, others;
    struct meta_threshold *thresholds; /* (classes); NULL: none are asked for */
    char *told[2];                     /* (told_count) warnings about the images of thresholds */
    int told_count;
    struct meta_learned_from from;
    struct meta_learned_marks marks;
    struct meta_assessment figures;
};

static void free_parts(struct parts *p)
{
    meta_assessment_clear(&p->figures);
    meta_answers_clear(&p->answers);
    meta_answers_clear(&p->others);
    meta_data_free(p->data);
    meta_data_free(p->elsewhere);
    meta_evaluate_names_clear(&p->names);
    meta_classifier_clear(&p->classifier);
    meta_pool_free(p->pool);
    free(p->thresholds);
    for (int i = 0; i < p->told_count; i++) free(p->told[i]);
    free(p->marks.learned);
    meta_learned_from_clear(&p->from);
}

/* ---- images ---------------------------------------------------------------------------------- */

static int open_data(const struct parts *p, struct meta_data_flags said, struct meta_data **out,
                     const char *path, struct meta_error *error)
{
    if (meta_labelled_is(path) && p->names.own) {
        if (!said.range) said.range = p->names.own->range;
        said.decode = p->names.own->decode;
    }
    if (meta_data_open(out, path, &said, error)) return -1;
    const struct meta_data *first = p->data == *out ? NULL : p->data;
    return meta_evaluate_names_match(&p->names, first, *out, error);
}

/* The list of this name; NULL: it is none of the three names. */
static const char *const *list_of(const struct meta_data *data, const char *name)
{
    return !strcmp(name, "test") ? (const char *const *)&data->test
        : !strcmp(name, "valid") ? (const char *const *)&data->valid
        : !strcmp(name, "train") ? (const char *const *)&data->train
                                 : NULL;
}

/* Whether thresholds are chosen on a list of the data that are evaluated. */
static int chosen_inside(const struct request *r)
{
    const struct meta_data none = { 0 };
    return !meta_labelled_is(r->data) && (!r->chosen_on || list_of(&none, r->chosen_on));
}

/* Gives each flag to the data that can take it, or to both. One that neither can take is left to
   those that are evaluated, of which the error is then. */
static int share_flags(struct parts *p, const struct request *r, struct meta_error *error)
{
    struct meta_data_flags *own = &p->said, *other = &p->said_elsewhere;
    if (meta_data_flags_taken(own, r->data, &r->said, error)
        || (r->chosen_on && !chosen_inside(r)
            && meta_data_flags_taken(other, r->chosen_on, &r->said, error)))
        return -1;
    if (!other->groups && !own->groups) own->groups = r->said.groups;
    if (!other->range && !own->range) own->range = r->said.range;
    return 0;
}

static int find_list(const char **out, const struct meta_data *data, const char *flag,
                     const char *name, struct meta_error *error)
{
    const char *const *list = list_of(data, name);
    if (!list) return meta_fail(error, "%s %s: must be test, valid or train", flag, name);
    if (!*list)
        return meta_fail(error, "%s: has no %s=: must be a list of images", data->path, name);
    *out = *list;
    return 0;
}

/* The list that is evaluated. */
static int find_evaluated(struct parts *p, const struct request *r, struct meta_error *error)
{
    if (!p->data->labelled)
        return find_list(&p->list, p->data, "-list", r->list ? r->list : "test", error);
    if (r->list)
        return meta_fail(error, "-list: is for a .data file: %s has no lists", p->data->path);
    p->list = p->data->train;
    return 0;
}

/* ---- thresholds ------------------------------------------------------------------------------ */

/* Finds the images that thresholds are chosen on, before any is answered: a list of the same .data
   file (valid), or a folder or a CSV. */
static int find_chosen_on(struct parts *p, const struct request *r, struct meta_error *error)
{
    const char *on = r->chosen_on;
    if (!r->sensitivity) return on ? meta_fail(error, "-chosen_on: is for -sensitivity") : 0;
    p->sensitivity = meta_flag_real("-sensitivity", r->sensitivity, .95, 1e-6, 1);
    if (!on && p->data->labelled)
        return meta_fail(error,
                         "-sensitivity: needs -chosen_on: a folder or a CSV of other images "
                         "than those that are evaluated, to choose the thresholds on");
    if (chosen_inside(r))
        return find_list(&p->chosen_on, p->data, "-chosen_on", on ? on : "valid", error);
    if (open_data(p, p->said_elsewhere, &p->elsewhere, on, error)) return -1;
    p->chosen_on = p->elsewhere->labelled ? p->elsewhere->train : p->elsewhere->valid;
    return p->chosen_on ? 0 : meta_fail(error, "%s: has no valid=: must be a list of images", on);
}

/* Keeps a warning about the images of thresholds for the files, and prints it. */
static int warn(struct parts *p, char *text, struct meta_error *error)
{
    if (!text) return meta_fail_memory(error);
    p->told[p->told_count++] = text;
    fprintf(stderr, "darknet: warning: %s\n", text);
    return 0;
}

/* Tells of groups of both data sets, or that one of them names none. */
static int warn_groups(struct parts *p, struct meta_error *error)
{
    const struct meta_dataset *set = p->answers.set, *other = p->others.set;
    const struct meta_data *data = p->elsewhere ? p->elsewhere : p->data;
    int groups, own = meta_data_grouped(p->data);
    char *text;
    if (meta_shared_groups(&groups, p->data, set, data, other, error)) return -1;
    if (own != meta_data_grouped(data)) {
        if (asprintf(&text, "%s names no groups: whether one of %s is there, too, can't be told",
                     own ? other->list : set->list, own ? set->list : other->list)
            < 0)
            text = NULL;
        if (warn(p, text, error)) return -1;
    }
    if (!groups) return 0;
    if (asprintf(&text, "%d group%s of %s %s in %s, too: thresholds look better than they are",
                 groups, meta_plural(groups), set->list, groups == 1 ? "is" : "are", other->list)
        < 0)
        text = NULL;
    return warn(p, text, error);
}

/* Thresholds that are chosen on images which are evaluated, too, would look better than they are.
 */
static int check_others(struct parts *p, struct meta_error *error)
{
    const struct meta_dataset *set = p->answers.set, *other = p->others.set;
    struct meta_shared shared;
    if (meta_shared_find(&shared, set, other, error)) return -1;
    if (!shared.count) return warn_groups(p, error);
    return meta_fail(error,
                     "%s: %d image%s of %s %s there, too%s, such as %s: thresholds must be chosen "
                     "on other images than those that are evaluated",
                     other->list, shared.count, meta_plural(shared.count), set->list,
                     shared.count == 1 ? "is" : "are", meta_shared_words(&shared),
                     set->paths[shared.image]);
}

static struct meta_assessed assessed(const struct parts *p, const struct meta_answers *a)
{
    return (struct meta_assessed){
        { a->set->count, a->group, a->groups }, p->classifier.classes, a->set->label, a->log_odds
    };
}

static int choose(struct parts *p, struct meta_error *error)
{
    if (!p->chosen_on) return 0;
    const struct meta_data *data = p->elsewhere ? p->elsewhere : p->data;
    if (meta_answers_read(&p->others, &p->classifier, data, p->chosen_on, p->pool, error)
        || check_others(p, error) || meta_learned_from_check(&p->from, p->others.set, error))
        return -1;
    const struct meta_assessed others = assessed(p, &p->others);
    p->thresholds = malloc((size_t)p->classifier.classes * sizeof *p->thresholds);
    if (!p->thresholds) return meta_fail_memory(error);
    return meta_assess_thresholds(p->thresholds, &others, p->sensitivity, error);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int tell(struct parts *p, const struct request *r, struct meta_error *error)
{
    const struct meta_assessed a = assessed(p, &p->answers);
    struct meta_assessment_report report = {
        .cfg = r->classifier.cfg,
        .weights = r->classifier.several ? r->classifier.several : r->classifier.weights,
        .images = p->answers.set->list,
        .chosen_on = p->others.set ? p->others.set->list : NULL,
        .chosen_told = p->told,
        .chosen_told_count = p->told_count,
        .chosen_grouped = meta_data_grouped(p->elsewhere ? p->elsewhere : p->data),
        .sensitivity = p->sensitivity,
        .names = p->data->names,
        .paths = p->answers.set->paths,
        .grouped = meta_data_grouped(p->data),
        .groupless = meta_dataset_groupless(p->answers.set),
        .copies = p->classifier.copies,
        .assessed = &a,
        .figures = &p->figures,
        .thresholds = p->thresholds
    };
    if (meta_learned_from_mark(&p->from, &p->answers, &p->marks, error)
        || meta_assess(&p->figures, &a, p->thresholds, error))
        return -1;
    report.learned = p->marks.learned;
    report.learned_count = p->marks.count;
    report.beside = p->marks.beside;
    report.untold = p->from.untold;
    report.untold_count = p->from.untold_count;
    meta_evaluate_print(&report);
    fflush(stdout);
    return meta_evaluate_files_write(&r->files, &report, error);
}

/* Refuses files that can't be written, are read, or are of something else, and one for two. */
static int check_files(const struct parts *p, const struct request *r, struct meta_error *error)
{
    const struct meta_word_list *weights = &p->classifier.weights;
    const char *const read[] = { r->classifier.cfg, r->data, r->names, r->said.groups,
                                 r->chosen_on };
    return meta_evaluate_files_apart(&r->files, read, sizeof read / sizeof *read, error)
            || meta_evaluate_files_apart(&r->files, (const char *const *)weights->words,
                                         weights->count, error)
            || meta_evaluate_files_check(&r->files, error)
        ? -1
        : 0;
}

static int evaluate(struct parts *p, struct request *r, struct meta_error *error)
{
    int threads = (int)meta_flag_int("-threads", r->threads, meta_pool_cores(), 1, META_POOL_MOST);
    if (meta_classifier_open(&p->classifier, &r->classifier, error) || check_files(p, r, error)
        || meta_classifier_fill(&p->classifier, error)
        || meta_learned_from_read(&p->from, &p->classifier, error)
        || meta_evaluate_names_read(&p->names, &p->classifier, r->classifier.cfg, r->names, error)
        || share_flags(p, r, error) || open_data(p, p->said, &p->data, r->data, error)
        || find_evaluated(p, r, error) || find_chosen_on(p, r, error)
        || meta_pool_create(&p->pool, threads, error))
        return -1;
    meta_tell_labelled(p->data->labelled);
    if (meta_answers_read(&p->answers, &p->classifier, p->data, p->list, p->pool, error)) return -1;
    meta_tell_depth(p->data, p->answers.set);
    if (choose(p, error)) return -1;
    meta_evaluate_names_warn(&p->names, p->data);
    meta_warn_groupless(p->data, p->answers.set);
    if (p->others.set) meta_warn_groupless(p->elsewhere ? p->elsewhere : p->data, p->others.set);
    return tell(p, r, error);
}

int meta_command_evaluate(int argc, char **argv)
{
    const char *backend = NULL, *range = NULL;
    struct request r = { .data = NULL };
    const struct meta_flag flags[] = {
        { "-list", "NAME", "test, valid or train (test): the list of a .data file", &r.list, NULL },
        { "-sensitivity", "S",
          "sensitivity and specificity at thresholds that find this share of a class elsewhere",
          &r.sensitivity, NULL },
        { "-chosen_on", "DATA",
          "where thresholds are chosen: a folder, a CSV, or a list of a .data file (valid)",
          &r.chosen_on, NULL },
        { "-csv", "FILE", "writes a line an image: class, answer, group, probabilities",
          &r.files.csv, NULL },
        { "-json", "FILE", "writes all figures as JSON", &r.files.json, NULL },
        { "-html", "FILE", "writes a page with tables and curves", &r.files.html, NULL },
        { "-names", "FILE", "names of the classes in the classifier's order (NAME.data's)",
          &r.names, NULL },
        { "-groups", "CSV", META_GROUPS_HELP, &r.said.groups, NULL },
        { "-range", "N",
          "value of white in 16-bit files of a folder or a CSV (that of NAME.data, or 65535)",
          &range, NULL },
        { "-augment", "N",
          "averages the answers to N copies of each image: flips and quarter turns, up to 8 (1)",
          &r.classifier.augment, NULL },
        { "-weights", "A,B,C",
          "averages the answers of several networks of CFG, in place of WEIGHTS",
          &r.classifier.several, NULL },
        { "-threads", "N", "worker threads (the cores)", &r.threads, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
    };
    struct parts p = { 0 };
    struct meta_error error;
    const struct meta_syntax syntax = { "evaluate CFG WEIGHTS DATA|FOLDER|CSV", 2, 3, flags,
                                        sizeof flags / sizeof *flags };
    int words = meta_flags_parse(argc, argv, &syntax), several = r.classifier.several != NULL;
    r.classifier.backend = meta_flag_backend(backend, "onednn");
    r.classifier.remedy = "`meta adapt` makes a classifier of it";
    r.said.range = (int)meta_flag_int("-range", range, 0, 1, 65535);
    int status = words == (several ? 2 : 3)
        ? 0
        : meta_fail(&error, "usage: darknet meta %s [flags]; -h explains them", syntax.usage);
    if (!status) {
        r.classifier.cfg = argv[0];
        r.classifier.weights = several ? NULL : argv[1];
        r.data = argv[words - 1];
        status = evaluate(&p, &r, &error);
    }
    free_parts(&p);
    return status ? meta_complain(&error) : 0;
}
