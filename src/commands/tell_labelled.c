/* Prints what a folder of classes, or a CSV, has. */
#include "tell_labelled.h"
#include "base/plural.h"
#include "tasks/class_names.h"

#include <stdio.h>

/* Classes that are counted one by one. */
#define MOST_CLASSES 20

static void print_classes(const struct meta_labelled *l)
{
    printf("%s: %d image%s of %d class%s: ", l->from, l->count, meta_plural(l->count), l->classes,
           meta_plural_es(l->classes));
    for (int k = 0; k < l->classes && k < MOST_CLASSES; k++) {
        int count = 0;
        for (int i = 0; i < l->count; i++) count += l->label[i] == k;
        printf("%s%s %d", k ? ", " : "", l->names[k], count);
    }
    printf("%s\n", l->classes > MOST_CLASSES ? ", ..." : "");
}

/* "darknet: warning: lesions: 2 files are no images by their names, such as lesions/a.txt: not
   read" */
static void warn(const struct meta_labelled *l, int count, const char *one, const char *many,
                 const char *such)
{
    if (count)
        fprintf(stderr, "darknet: warning: %s: %d %s, such as %s: not read\n", l->from, count,
                count == 1 ? one : many, such);
}

static void warn_alike(const struct meta_labelled *l)
{
    int pair[2];
    if (meta_class_names_alike(pair, l->names, l->classes))
        fprintf(stderr,
                "darknet: warning: %s: classes %s and %s differ in capitals alone: they are taken "
                "for two\n",
                l->from, l->names[pair[0]], l->names[pair[1]]);
}

void meta_tell_labelled(const struct meta_labelled *l)
{
    if (!l) return;
    print_classes(l);
    if (l->nested && !l->grouped)
        printf("%s: %d of them %s in folders of a class's folder: -groups folders takes each such "
               "folder, with all below it, for one group, as of a patient\n",
               l->from, l->nested, l->nested == 1 ? "lies" : "lie");
    fflush(stdout);
    warn(l, l->others, "file is no image by its name", "files are no images by their names",
         l->other);
    warn(l, l->loose, "image lies beside the folders of the classes, and is of none",
         "images lie beside the folders of the classes, and are of none", l->one_loose);
    warn_alike(l);
    if (l->unread && !l->grouped)
        fprintf(stderr,
                "darknet: warning: %s: no column group: each image is taken for unlike any other; "
                "columns not read: %s\n",
                l->from, l->unread);
}
