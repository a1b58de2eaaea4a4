/* What a folder's results are of: the sizes of the images that the lists name, by list. Keys of trainings and tests hold the lists themselves;
   other files under the same names would else go unnoticed, and results of both be paired. */
#define _GNU_SOURCE
#include "table.h"
#include "tasks/data_file.h"
#include "base/lines.h"
#include "base/checksum.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FILE_NAME "images.json"

/* Of the list itself, as a name; and of the sizes, through links, in its order. One that isn't there has none: whoever reads it will tell. */
static int sum_list(const char *list, char name[32], uint32_t *sizes, struct meta_error *error)
{
    struct meta_lines lines;
    uint32_t own;
    size_t bytes;
    if (meta_checksum_file(list, &own, &bytes, error) || meta_lines_read(&lines, list, error)) return -1;
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

static int check_list(cJSON *known, const char *list, const char *folder, int *added, struct meta_error *error)
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
    return meta_fail(error, "%.200s: its images are not those that the results in %.150s are of: bring them back, or take another -out", list,
                     folder);
}

int meta_table_images(const struct meta_table *t, int keep, struct meta_error *error)
{
    struct meta_data *data = NULL;
    cJSON *root = NULL;
    char *path;
    int added = 0, status = -1;
    if (!t->ready) return 0;
    if (asprintf(&path, "%s/" FILE_NAME, t->folder) < 0) return meta_fail_memory(error);
    if (!access(path, F_OK)) { if (meta_json_read(&root, path, error)) goto done; }
    else if (!(root = cJSON_CreateObject())) { meta_fail_memory(error); goto done; }
    if (meta_data_read(&data, t->data, error)) goto done;
    if (check_list(root, data->train, t->folder, &added, error) || check_list(root, data->test, t->folder, &added, error)) goto done;
    status = keep && added ? meta_json_write(path, root, error) : 0;
done:
    meta_data_free(data);
    cJSON_Delete(root);
    free(path);
    return status;
}
