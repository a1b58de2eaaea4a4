/* Finds the names of a classifier's classes, and holds those of images against them. */
#include "evaluate_names.h"
#include "adaptation/class_notes.h"
#include "base/path.h"
#include "tasks/data_open.h"

#include <stdlib.h>
#include <unistd.h>

/* Reads NAME.data beside NAME.cfg, where it is there. */
static int read_own(struct meta_evaluate_names *n, struct meta_error *error)
{
    char *beside = meta_path_beside(n->cfg, ".data");
    if (!beside) return meta_fail_memory(error);
    int status = 0, classes = n->classifier->classes;
    if (!access(beside, R_OK)) status = meta_data_read(&n->own, beside, error);
    free(beside);
    if (status || !n->own || n->own->classes == classes) return status;
    return meta_fail(error, "%s: classes=%d: must be %d, the probabilities that %s gives",
                     n->own->path, n->own->classes, classes, n->cfg);
}

/* -names may call a class otherwise than NAME.cfg does, but not as another of the classes. */
static int check_turned(const struct meta_evaluate_names *n, struct meta_error *error)
{
    const struct meta_class_order own = { n->said, n->file.line, n->file.count };
    const struct meta_class_order noted = { n->cfg, n->noted.line, n->noted.count };
    return n->noted.count ? meta_class_order_turned(&own, &noted, error) : 0;
}

int meta_evaluate_names_read(struct meta_evaluate_names *n,
                             const struct meta_classifier *classifier, const char *cfg,
                             const char *said, struct meta_error *error)
{
    int classes = classifier->classes;
    *n = (struct meta_evaluate_names){ .classifier = classifier, .cfg = cfg, .said = said };
    int bad = read_own(n, error);
    if (!said && bad) return -1;
    if (meta_class_notes_read(&n->noted, cfg, classes, error)) return -1;
    if (!said) return 0;
    if (bad) {
        meta_data_free(n->own);
        n->own = NULL;
    }
    if (meta_lines_read(&n->file, said, error)) return -1;
    if (n->file.count == classes) return check_turned(n, error);
    return meta_fail(error, "-names %s: has %d: must be %d, the probabilities that %s gives", said,
                     n->file.count, classes, cfg);
}

/* The order of the outputs, as far as it is known; names NULL: it is not. */
static struct meta_class_order known_order(const struct meta_evaluate_names *n,
                                           const struct meta_data *first)
{
    int classes = n->classifier->classes;
    if (n->said) return (struct meta_class_order){ n->said, n->file.line, classes };
    if (n->own) return (struct meta_class_order){ n->own->path, n->own->names, classes };
    if (n->noted.count) return (struct meta_class_order){ n->cfg, n->noted.line, classes };
    if (first) return (struct meta_class_order){ first->path, first->names, classes };
    return (struct meta_class_order){ NULL, NULL, classes };
}

int meta_evaluate_names_match(const struct meta_evaluate_names *n, const struct meta_data *first,
                              struct meta_data *data, struct meta_error *error)
{
    int classes = n->classifier->classes;
    const struct meta_class_order known = known_order(n, first);
    if (data->labelled && !known.names)
        return meta_fail(error,
                         "%s: its classes must be told from each other by their names: %s has no "
                         "names, and no .data file lies beside it: name the file of names by "
                         "-names",
                         data->path, n->cfg);
    if (data->labelled && meta_data_match(data, known.names, classes, known.path, error)) return -1;
    if (data->classes != classes)
        return meta_fail(error, "%s: classes=%d: must be %d, the probabilities that %s gives",
                         data->path, data->classes, classes, n->cfg);
    const struct meta_class_order own = { data->path, data->names, classes };
    int noted = !n->said && !n->own && n->noted.count; /* by the .cfg, which check_order asks */
    if (known.names && !noted && meta_class_order_same(&own, &known, error)) return -1;
    if (!n->said && meta_classifier_check_order(n->classifier, data, error)) return -1;
    if (!first) return 0;
    /* both may call the classes otherwise than the .cfg */
    const struct meta_class_order before = { first->path, first->names, classes };
    return meta_class_order_turned(&own, &before, error);
}

void meta_evaluate_names_warn(const struct meta_evaluate_names *n, const struct meta_data *data)
{
    const struct meta_classifier *c = n->classifier;
    const struct meta_class_order known = known_order(n, NULL),
                                  own = { data->path, data->names, c->classes };
    const struct meta_class_files files = { c->model->path, c->weights.words, c->weights.count };
    meta_classifier_warn_names(known.names && data->labelled ? &known : &own, &files);
}

void meta_evaluate_names_clear(struct meta_evaluate_names *n)
{
    meta_data_free(n->own);
    meta_lines_free(&n->file);
    meta_lines_free(&n->noted);
    *n = (struct meta_evaluate_names){ 0 };
}
