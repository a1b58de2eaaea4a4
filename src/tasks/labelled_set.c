/* Keeps labelled images: adds them, renumbers their classes, frees them. */
#include "labelled_internal.h"

#include <stdlib.h>
#include <string.h>

static void free_texts(char **texts, int count)
{
    for (int i = 0; texts && i < count; i++) free(texts[i]);
    free(texts);
}

void meta_labelled_free(struct meta_labelled *l)
{
    if (!l) return;
    free_texts(l->paths, l->count);
    free_texts(l->names, l->classes);
    free_texts(l->group_names, l->groups);
    free(l->lines);
    free(l->label);
    free(l->group);
    free(l->other);
    free(l->one_loose);
    free(l->unread);
    free(l->root);
    free(l->from);
    free(l);
}

void meta_labelled_image_clear(struct meta_labelled_image *image)
{
    free(image->path);
    free(image->class);
    free(image->group);
}

int meta_labelled_add(struct meta_labelled_reader *r, struct meta_labelled_image image)
{
    if (!image.path || !image.class) goto memory;
    if (r->count == r->room) {
        int room = r->room ? 2 * r->room : 256;
        struct meta_labelled_image *grown = realloc(r->images, (size_t)room * sizeof *grown);
        if (!grown) goto memory;
        r->images = grown;
        r->room = room;
    }
    r->images[r->count++] = image;
    return 0;
memory:
    meta_labelled_image_clear(&image);
    return meta_fail_memory_for(r->error, r->set->from);
}

const char *meta_labelled_inside(const struct meta_labelled *l, int image)
{
    const char *path = l->paths[image];
    size_t n = strlen(l->root);
    if (!n || strncmp(path, l->root, n) || (path[n] != '/' && path[n - 1] != '/')) return path;
    return path + n + strspn(path + n, "/");
}

int meta_labelled_match(struct meta_labelled *l, char *const *names, int count, const char *whose,
                        struct meta_error *error)
{
    int *to = malloc(((size_t)l->classes + 1) * sizeof *to), status = 0;
    char **copies = calloc((size_t)count + 1, sizeof *copies);
    if (!to || !copies) status = meta_fail_memory_for(error, l->from);
    for (int k = 0; k < l->classes && !status; k++) {
        for (to[k] = 0; to[k] < count && strcmp(l->names[k], names[to[k]]);) to[k]++;
        if (to[k] == count)
            status = meta_fail(error, "%s: has a class %s, which is none of the %d of %s", l->from,
                               l->names[k], count, whose);
    }
    for (int k = 0; k < count && !status; k++)
        if (!(copies[k] = strdup(names[k]))) status = meta_fail_memory_for(error, l->from);
    if (status) free_texts(copies, count);
    else {
        for (int i = 0; i < l->count; i++) l->label[i] = to[l->label[i]];
        free_texts(l->names, l->classes);
        l->names = copies;
        l->classes = count;
    }
    free(to);
    return status;
}
