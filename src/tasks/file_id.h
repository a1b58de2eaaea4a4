/* Which file a path leads to, whatever the path is called, and whether it has changed. */
#ifndef META_FILE_ID_H
#define META_FILE_ID_H

#include <stdint.h>

/* 0, 0: no file. */
struct meta_file_id {
    uint64_t device, inode;
    int64_t frame; /* of an image: its number in the file, else 0 */
};
/* 0, or -1 with *id as it was: there is no such file, or it can't be looked at. */
int meta_file_id_find(struct meta_file_id *id, const char *path);
/* Of an image's path: images/image_place.h. */
int meta_file_id_image(struct meta_file_id *id, const char *path);
/* What of a file changes with its bytes: its number, size, and the times of its last change to
   bytes and to either, to the nanosecond. {0}: it can't be told. */
struct meta_file_state {
    int64_t inode, bytes, modified, modified_ns, changed, changed_ns;
};
/* 0, or -1 with {0}: there is no such file, or it can't be looked at. */
int meta_file_state_find(struct meta_file_state *, const char *path);
int meta_file_state_image(struct meta_file_state *, const char *path);

/* Compares two struct meta_file_id, for qsort and bsearch. */
int meta_file_id_order(const void *, const void *);
/* Whether both paths lead to one file, which is there. */
int meta_file_id_same(const char *, const char *);

#endif
