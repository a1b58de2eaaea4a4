/* Finds labels that are part of the paths of their own class alone. */
#define _GNU_SOURCE
#include "class_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int are_exact(char *const *labels, const struct meta_classed *c)
{
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < c->classes; k++)
            if ((strstr(c->paths[i], labels[k]) != NULL) != (k == c->label[i])) return 0;
    return 1;
}

static int make(char ***labels, const struct meta_classed *c, const char *root,
                struct meta_error *error)
{
    char **made = calloc((size_t)c->classes + 1, sizeof *made);
    for (int k = 0; made && k < c->classes; k++)
        if (asprintf(&made[k], "%s/%s/", root, c->folders[k]) < 0) {
            made[k] = NULL;
            meta_class_labels_free(made, c->classes);
            made = NULL;
        }
    *labels = made;
    return made ? 0 : meta_fail_memory(error);
}

int meta_class_labels(char ***labels, const struct meta_classed *c, struct meta_error *error)
{
    if (make(labels, c, "", error)) return -1;
    if (are_exact(*labels, c)) return 0;
    meta_class_labels_free(*labels, c->classes);
    if (make(labels, c, strcmp(c->root, "/") ? c->root : "", error)) return -1;
    if (are_exact(*labels, c)) return 0;
    meta_class_labels_free(*labels, c->classes);
    *labels = NULL;
    return 0;
}

void meta_class_labels_free(char **labels, int classes)
{
    for (int k = 0; labels && k < classes; k++) free(labels[k]);
    free(labels);
}
