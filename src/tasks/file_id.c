/* Tells files apart by device and inode, and changes of them by size and times. */
#include "file_id.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "images/image_place.h"

int meta_file_id_find(struct meta_file_id *id, const char *path)
{
    struct stat info;
    if (stat(path, &info)) return -1;
    *id = (struct meta_file_id){ info.st_dev, info.st_ino, 0 };
    return 0;
}

int meta_file_id_image(struct meta_file_id *id, const char *path)
{
    struct meta_image_place place;
    struct meta_error ignored;
    if (meta_image_place_find(&place, path, &ignored)) return -1;
    int status = meta_file_id_find(id, place.file);
    if (!status) id->frame = place.frame;
    free(place.file);
    return status;
}

int meta_file_state_image(struct meta_file_state *state, const char *path)
{
    struct meta_image_place place;
    struct meta_error ignored;
    *state = (struct meta_file_state){ 0 };
    if (meta_image_place_find(&place, path, &ignored)) return -1;
    int status = meta_file_state_find(state, place.file);
    free(place.file);
    return status;
}

int meta_file_state_find(struct meta_file_state *state, const char *path)
{
    struct stat s;
    *state = (struct meta_file_state){ 0 };
    if (stat(path, &s)) return -1;
    *state = (struct meta_file_state){ (int64_t)s.st_ino, s.st_size,        s.st_mtim.tv_sec,
                                       s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec };
    return 0;
}

int meta_file_id_order(const void *x, const void *y)
{
    const struct meta_file_id *a = x, *b = y;
    if (a->device != b->device) return a->device > b->device ? 1 : -1;
    if (a->inode != b->inode) return a->inode > b->inode ? 1 : -1;
    return (a->frame > b->frame) - (a->frame < b->frame);
}

int meta_file_id_same(const char *a, const char *b)
{
    struct meta_file_id x, y;
    return !meta_file_id_find(&x, a) && !meta_file_id_find(&y, b) && !meta_file_id_order(&x, &y);
}
