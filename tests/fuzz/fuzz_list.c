/* Lists of images and the CSV of their groups: a list, a CSV. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "base/opencv.h"
#include "base/pool.h"
#include "tasks/dataset.h"

static struct meta_error error;
static struct meta_data of;
static struct meta_pool *pool;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char *labels[] = { "one_", "two_", "three_" };
    fuzz_begin();
    FUZZ_NEED(meta_opencv_table("meta_image_opencv", &error)); /* loading it takes seconds here, which are no input's */
    of = (struct meta_data){ .path = "x.data", .classes = 3, .names = labels, .labels = labels, .train = "x.list",
                             .line = { 3, 0, 0, 0, 4 } };
    FUZZ_NEED(!meta_pool_create(&pool, 1, &error));
    fuzz_write_text("one_1.pgm", "P5 2 2 255\nabcd");
    fuzz_write_text("one_2.pgm", "P5 2 2 255\nbbcd");
    fuzz_write_text("two_1.pgm", "P5 2 2 255\ncbcd");
    fuzz_write_text("two_2.pgm", "P5 2 2 255\nabcd");
    fuzz_write_text("three_1.pgm", "P5 2 2 255\ndbcd");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_dataset *set;
    struct meta_survey survey;
    fuzz_write_part("x.list", &data, &size);
    of.groups = size ? "groups.csv" : NULL;
    fuzz_write_part("groups.csv", &data, &size);
    const struct meta_dataset_source source = { .data = &of, .list = of.train, .width = 2, .height = 2, .channels = 1 };
    if (!meta_dataset_outline(&set, &of, of.train, &error)) meta_dataset_free(set);
    if (!meta_dataset_load(&set, &source, pool, &error)) meta_dataset_free(set);
    if (meta_dataset_survey(&set, &survey, &source, pool, &error)) return 0;
    meta_survey_clear(&survey);
    meta_dataset_free(set);
    return 0;
}
