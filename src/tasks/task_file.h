/* One task written out in a file: lines `support LABEL PATH` and `query LABEL PATH`, paths from the
   working folder. Blank lines and lines that begin with # are skipped. The two sides need not be
   balanced, and [episode] plays no part. */
#ifndef META_TASK_FILE_H
#define META_TASK_FILE_H

#include "config/net_section.h"
#include "data_file.h"

struct meta_task_file {
    int support, query; /* numbers of images, at least 1 */
    float *support_images;
    int *support_labels; /* (support, c, h, w) planar in [0,1]; (support) */
    float *query_images;
    int *query_labels; /* (query, c, h, w); (query) */
};

/* The file, and how its images are read. */
struct meta_task_source {
    const char *path;
    const struct meta_data *data;
    const struct meta_net_settings *net;
};

/* Reads the file and its images, in the test-time view of meta_view_image. Labels must be
   0..ways-1. Errors name file and line. The caller frees, also after a failure. */
int meta_task_file_read(struct meta_task_file *, const struct meta_task_source *, int ways,
                        struct meta_error *);
void meta_task_file_free(struct meta_task_file *);

#endif
