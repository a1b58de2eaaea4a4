/* Puts together what the .cfg files of an ensemble say of the images that they were adapted to. */
#define _GNU_SOURCE
#include "learned_from.h"
#include "base/path.h"
#include "tasks/file_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_untold(struct meta_learned_from *l, const char *cfg, const char *why,
                      struct meta_error *error)
{
    char **text = &l->untold[l->untold_count];
    if (asprintf(text, "%s %s: images that it has learned from can't be told", cfg, why) < 0)
        return meta_fail_memory(error);
    l->untold_count++;
    return 0;
}

static int add(struct meta_learned_from *l, const char *cfg, struct meta_error *error)
{
    struct meta_digest *own;
    int count;
    if (meta_support_files_read(&own, &count, cfg, error)) return -1;
    struct meta_digest *grown = realloc(l->all, ((size_t)l->count + count + 1) * sizeof *grown);
    if (grown) {
        memcpy(grown + l->count, own, (size_t)count * sizeof *own);
        l->all = grown;
        l->count += count;
    }
    free(own);
    if (!grown) return meta_fail_memory(error);
    return count ? 0 : add_untold(l, cfg, "does not say what it was adapted to", error);
}

/* One network alone may lie in another place than its .cfg. */
static int add_member(struct meta_learned_from *l, const struct meta_classifier *c, const char *cfg,
                      struct meta_error *error)
{
    if (!strcmp(cfg, c->model->path) || meta_file_id_same(cfg, c->model->path)) return 0;
    if (!access(cfg, R_OK)) return add(l, cfg, error);
    return c->weights.count == 1
        ? 0
        : add_untold(l, cfg, "is not there to say what it was adapted to", error);
}

int meta_learned_from_read(struct meta_learned_from *l, const struct meta_classifier *c,
                           struct meta_error *error)
{
    *l = (struct meta_learned_from){ .untold = calloc((size_t)c->weights.count + 1,
                                                      sizeof(char *)) };
    if (!l->untold) return meta_fail_memory(error);
    if (add(l, c->model->path, error)) return -1;
    for (int i = 0; i < c->weights.count; i++) {
        char *cfg = meta_path_beside(c->weights.words[i], ".cfg");
        int status = cfg ? add_member(l, c, cfg, error) : meta_fail_memory(error);
        free(cfg);
        if (status) return -1;
    }
    qsort(l->all, (size_t)l->count, sizeof *l->all, meta_digest_order);
    return 0;
}

int meta_learned_from_mark(const struct meta_learned_from *l, const struct meta_answers *a,
                           struct meta_learned_marks *marks, struct meta_error *error)
{
    int n = a->set->count;
    unsigned char *group = calloc((size_t)a->groups + 1, 1);
    *marks = (struct meta_learned_marks){ .learned = calloc((size_t)n + 1, 1) };
    int status = group && marks->learned ? 0 : meta_fail_memory(error);
    for (int i = 0; i < n && !status; i++) {
        marks->learned[i] = meta_support_files_has(l->all, l->count, a->set->digests[i]);
        marks->count += marks->learned[i];
        group[a->group[i]] |= meta_support_files_has_file(l->all, l->count, a->set->digests[i]);
    }
    for (int i = 0; i < n && !status; i++)
        marks->beside += group[a->group[i]] && !marks->learned[i];
    free(group);
    return status;
}

int meta_learned_from_check(const struct meta_learned_from *l, const struct meta_dataset *set,
                            struct meta_error *error)
{
    int count = 0, same = 0, first = 0, first_same = 0;
    for (int i = set->count - 1; i >= 0; i--) {
        if (!meta_support_files_has_file(l->all, l->count, set->digests[i])) continue;
        count++;
        first = i;
        if (!meta_support_files_has(l->all, l->count, set->digests[i])) continue;
        same++;
        first_same = i;
    }
    if (!count) return 0;
    return meta_fail(error,
                     "%s: the classifier has learned from %s%d of its images%s, such as %s: "
                     "thresholds must be chosen on images that it has not learned from",
                     set->list, same ? "" : "other images of the files of ", count,
                     same && same < count ? ", or from other images of their files" : "",
                     set->paths[same ? first_same : first]);
}

void meta_learned_from_clear(struct meta_learned_from *l)
{
    for (int i = 0; i < l->untold_count; i++) free(l->untold[i]);
    free(l->untold);
    free(l->all);
    *l = (struct meta_learned_from){ 0 };
}
