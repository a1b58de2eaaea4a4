/* Tells files apart by device and inode, and changes of them by size and times. */
#include "file_id.h"

#include <sys/stat.h>

int meta_file_id_find(struct meta_file_id *id, const char *path)
{
    struct stat info;
    if (stat(path, &info)) return -1;
    *id = (struct meta_file_id){ info.st_dev, info.st_ino };
    return 0;
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
    return (a->inode > b->inode) - (a->inode < b->inode);
}
