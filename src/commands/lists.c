/* darknet meta lists: writes Darknet's files of a folder whose folders are classes, or of a CSV. */
#define _GNU_SOURCE
#include "base/path.h"
#include "base/plural.h"
#include "base/pool.h"
#include "flags.h"
#include "tasks/data_open.h"
#include "tasks/list_place.h"
#include "tasks/lists.h"
#include "tell_labelled.h"
#include "usage.h"
#include "word_list.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parts {
    struct meta_data *data;
    struct meta_dataset *set;
    struct meta_pool *pool;
    struct meta_word_list rare;
    unsigned char *is_rare; /* (classes) */
    int *part;              /* (count) */
    char *folder;           /* that is written to */
};

static void free_parts(struct parts *p)
{
    meta_dataset_free(p->set);
    meta_pool_free(p->pool);
    meta_data_free(p->data);
    meta_word_list_clear(&p->rare);
    free(p->is_rare);
    free(p->part);
    free(p->folder);
}

/* What the command line asks for. */
struct request {
    const char *from, *rare;
    struct meta_split split;
    int test_said, replace, threads;
    struct meta_data_flags flags;
};

/* A folder of classes must not hold what is written: it would be one more class. */
static int check_folder(const struct parts *p, const char *from, struct meta_error *error)
{
    char inner[PATH_MAX], outer[PATH_MAX];
    char *above = malloc(strlen(p->folder) + sizeof ".");
    size_t n = realpath(from, outer) ? strlen(outer) : 0;
    if (above) strcpy(above, p->folder);
    while (above && !realpath(above, inner)) { /* the nearest folder that is there */
        char *slash = strrchr(above, '/');
        if (slash) slash[slash == above] = 0;
        else strcpy(above, ".");
    }
    int status = above ? 0 : meta_fail_memory(error);
    if (above && n && p->data->labelled->lines[0] == 0 && !strncmp(inner, outer, n)
        && (!inner[n] || inner[n] == '/'))
        status = meta_fail(error,
                           "%s: lies in %s, where each folder is a class: must be another folder",
                           p->folder, from);
    free(above);
    return status;
}

static int find_rare(struct parts *p, const struct request *r, struct meta_error *error)
{
    const struct meta_labelled *l = p->data->labelled;
    if (!r->rare) return 0;
    if (r->test_said)
        return meta_fail(error,
                         "-rare and -test: must be one of them: the test list has the rare "
                         "classes, and no others");
    if (meta_word_list(&p->rare, "-rare", r->rare, error)) return -1;
    if (!(p->is_rare = calloc((size_t)l->classes + 1, 1))) return meta_fail_memory(error);
    for (int i = 0; i < p->rare.count; i++) {
        int k = 0;
        while (k < l->classes && strcmp(l->names[k], p->rare.words[i])) k++;
        if (k == l->classes)
            return meta_fail(error, "-rare %s: is no class of %s, such as %s", p->rare.words[i],
                             r->from, l->names[0]);
        p->is_rare[k] = 1;
    }
    return 0;
}

/* Reads the images' bytes, which tell copies. */
static int read_images(struct parts *p, const struct request *r, struct meta_error *error)
{
    if (meta_dataset_outline(&p->set, p->data, p->data->train, error)
        || meta_pool_create(&p->pool, r->threads, error)
        || meta_dataset_digest(p->set, p->pool, error))
        return -1;
    for (int i = 0; i < p->set->count; i++) {
        struct meta_digest one;
        struct meta_error why;
        if (p->set->digests[i].bytes) continue;
        if (!meta_digest_file(&one, p->set->paths[i], &why))
            meta_fail(&why, "%s: is empty", p->set->paths[i]);
        return meta_fail(error, "%s%s", meta_list_place(p->set->list, p->set->lines[i]).text,
                         why.text);
    }
    return 0;
}

static int count(const struct parts *p, int class, int part)
{
    int n = 0;
    for (int i = 0; i < p->set->count; i++)
        n += (class < 0 || p->set->label[i] == class) && p->part[i] == part;
    return n;
}

static void print_counts(const struct parts *p, const struct meta_split *how)
{
    const double share[] = { 0, how->valid, how->rare ? 0 : how->test };
    static const char *const names[] = { "train", "valid", "test" };
    const struct meta_labelled *l = p->data->labelled;
    printf("%8s %8s %8s  class\n", names[0], names[1], names[2]);
    for (int k = -1; k < l->classes; k++) {
        int row = k + 1 < l->classes ? k + 1 : -1; /* all of them come last */
        printf("%8d %8d %8d  %s\n", count(p, row, META_PART_TRAIN), count(p, row, META_PART_VALID),
               count(p, row, META_PART_TEST), row < 0 ? "(all)" : l->names[row]);
    }
    int left = count(p, -1, META_PART_NONE);
    if (left)
        printf("%d image%s of other classes %s in a group with a rare one, and in no list\n", left,
               meta_plural(left), left == 1 ? "is" : "are");
    for (int k = 0; k < l->classes; k++)
        for (int part = 0; part < META_PARTS; part++)
            if (count(p, -1, part) && !count(p, k, part) && !p->is_rare)
                fprintf(stderr, "darknet: warning: %s has no image of %s\n", names[part],
                        l->names[k]);
    for (int part = META_PART_VALID; part <= META_PART_TEST; part++)
        if (share[part] > 0 && !count(p, -1, part))
            fprintf(stderr, "darknet: warning: %s has no image: there are too few groups\n",
                    names[part]);
    if (!count(p, -1, META_PART_TRAIN))
        fprintf(stderr, "darknet: warning: there is nothing to train on\n");
}

static int write_all(const struct parts *p, const struct meta_lists *lists,
                     struct meta_error *error)
{
    int linked;
    char *data = meta_lists_data(p->folder);
    if (!data) return meta_fail_memory(error);
    int status = meta_lists_write(lists, &linked, error);
    if (!status) {
        printf("written: %s, and what it names\n", data);
        if (linked)
            printf("%s/images has links to the images, in a folder a class: their own paths don't "
                   "tell the classes\n",
                   p->folder);
        if (strpbrk(p->folder, " \t"))
            printf("stock Darknet takes blanks out of the paths of %s: it would not find its "
                   "files\n",
                   data);
    }
    free(data);
    return status;
}

static int make(struct parts *p, struct request *r, struct meta_error *error)
{
    if (!meta_labelled_is(r->from))
        return meta_fail(error, "%s: must be a folder with a folder a class, or a .csv", r->from);
    if (meta_data_open(&p->data, r->from, &r->flags, error) || check_folder(p, r->from, error)
        || find_rare(p, r, error))
        return -1;
    struct meta_lists lists = { p->data->labelled, NULL, p->folder, r->flags.range, r->replace };
    if (meta_lists_check(&lists, error)) return -1;
    meta_tell_labelled(p->data->labelled);
    if (read_images(p, r, error)) return -1;
    r->split.rare = p->is_rare;
    if (!(p->part = malloc(((size_t)p->set->count + 1) * sizeof *p->part)))
        return meta_fail_memory(error);
    if (meta_split(p->part, p->data->labelled, p->set, &r->split, error)) return -1;
    lists.part = p->part;
    print_counts(p, &r->split);
    return write_all(p, &lists, error);
}

int meta_command_lists(int argc, char **argv)
{
    const char *valid = NULL, *test = NULL, *seed = NULL, *threads = NULL, *range = NULL;
    struct request r = { 0 };
    const struct meta_flag flags[] = {
        { "-valid", "S", "share of each class's images for the valid list (0.15)", &valid, NULL },
        { "-test", "S", "share of each class's images for the test list (0.15)", &test, NULL },
        { "-rare", "A,B,C",
          "the test list has all images of these classes, and no others: for meta-training",
          &r.rare, NULL },
        { "-groups", "CSV", META_GROUPS_HELP, &r.flags.groups, NULL },
        { "-range", "N", META_RANGE_HELP, &range, NULL },
        { "-seed", "N", "of the split (1)", &seed, NULL },
        { "-replace", NULL, "writes over the files of an earlier call", NULL, &r.replace },
        { "-threads", "N", "threads that read the images (the cores)", &threads, NULL },
    };
    struct parts p = { 0 };
    struct meta_error error;
    const struct meta_syntax syntax = { "lists FOLDER|CSV OUT", 2, 2, flags,
                                        sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    r.from = argv[0];
    r.test_said = test != NULL;
    r.flags.range = (int)meta_flag_int("-range", range, 0, 1, 65535);
    r.split.valid = meta_flag_real("-valid", valid, .15, 0, .9);
    r.split.test = meta_flag_real("-test", test, r.rare ? 0 : .15, 0, .9);
    r.split.seed = meta_flag_seed(seed, 1);
    r.threads = (int)meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    if (!(p.folder = strdup(argv[1]))) meta_fail_memory(&error);
    else {
        meta_path_trim(p.folder);
        if (r.split.valid + r.split.test > .95)
            meta_fail(&error, "-valid %g and -test %g: must leave 0.05 to train on", r.split.valid,
                      r.split.test);
        else if (!make(&p, &r, &error)) {
            free_parts(&p);
            return 0;
        }
    }
    free_parts(&p);
    return meta_complain(&error);
}
