/* Notes of which images a folder's results are: by list, a check sum of the sizes of the images'
   files. Keys hold a check sum of the list, which stays the same when other images come under the
   same names; results of both would then be paired. */
#define _GNU_SOURCE
#include "table_images.h"
#include "base/checksum.h"
#include "base/json.h"
#include "base/lines.h"
#include "tasks/data_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FILE_NAME "images.json"

/* name: the list's own check sum in words. *sizes: the CRC-32 of the sizes of its images (int64
   in bytes, in the list's order, through links). An image that isn't there counts as -1: whoever
   reads it refuses it. */
static int sum_list(const char *list, char name[32], uint32_t *sizes, struct meta_error *error)
{
    struct meta_lines lines;
    uint32_t own;
    size_t bytes;
    if (meta_checksum_file(list, &own, &bytes, error)) return -1;
    if (meta_lines_read(&lines, list, error)) return -1;
    snprintf(name, 32, "list crc32:%08x", own);
    *sizes = crc32(0, NULL, 0);
    for (int i = 0; i < lines.count; i++) {
        struct stat s;
        int64_t size = stat(lines.line[i], &s) ? -1 : (int64_t)s.st_size;
        *sizes = crc32(*sizes, (const Bytef *)&size, sizeof size);
    }
    meta_lines_free(&lines);
    return 0;
}

/* Compares a list, which may be NULL, to what is known; one that is new is added, with *added 1. */
static int check_list(cJSON *known, const char *list, const char *folder, int *added,
                      struct meta_error *error)
{
    char name[32];
    uint32_t sizes;
    if (!list) return 0;
    if (sum_list(list, name, &sizes, error)) return -1;
    if (!cJSON_HasObjectItem(known, name)) {
        cJSON_AddNumberToObject(known, name, sizes);
        *added = 1;
        return 0;
    }
    if (meta_json_get(known, name) == sizes) return 0;
    return meta_fail(error,
                     "%.200s: its images are not those that the results in %.150s are of: "
                     "bring them back, or take another -out",
                     list, folder);
}

/* What the folder has noted; empty when it has noted nothing. The caller deletes *known. */
static int read_known(cJSON **known, const char *path, struct meta_error *error)
{
    if (!access(path, F_OK)) return meta_json_read(known, path, error);
    *known = cJSON_CreateObject();
    return *known ? 0 : meta_fail_memory(error);
}

int meta_table_images(const struct meta_table *t, int keep, struct meta_error *error)
{
    struct meta_data *data = NULL;
    cJSON *known = NULL;
    char *path;
    int added = 0, status = -1;
    if (!t->ready) return 0;
    if (meta_table_text(&path, error, "%s/" FILE_NAME, t->folder)) return -1;
    if (read_known(&known, path, error) || meta_data_read(&data, t->data, error)) goto done;
    if (check_list(known, data->train, t->folder, &added, error)
        || check_list(known, data->test, t->folder, &added, error))
        goto done;
    status = keep && added ? meta_json_write(path, known, error) : 0;
done:
    meta_data_free(data);
    cJSON_Delete(known);
    free(path);
    return status;
}
