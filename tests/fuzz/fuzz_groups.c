/* The CSV of groups, looked up for images in folders. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "tasks/groups.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const paths[] = { "a/one_1.pgm", "b/one_1.pgm", "./b/two.x.png", "/abs/one_2", "three" };
    static const int lines[] = { 1, 2, 3, 5, 6 };
    const struct meta_listed listed = { "x.list", paths, lines, 5 };
    struct meta_data of = { .path = "x.data", .groups = "groups.csv", .line = { 0, 0, 0, 0, 4 } };
    struct meta_groups groups;
    int group[5];
    fuzz_write("groups.csv", data, size);
    if (meta_groups_read(&groups, &of, &error)) return 0;
    meta_groups_find(&groups, &listed, group, &error);
    meta_groups_free(&groups);
    return 0;
}
