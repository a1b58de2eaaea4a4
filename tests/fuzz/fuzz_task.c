/* Files of one task, beside images that they may name. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "tasks/task_file.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    fuzz_write_text("a.pgm", "P5 2 2 255\nabcd");
    fuzz_write_text("b.pgm", "P5 3 1 255\nabc");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct meta_data of = { 0 };
    const struct meta_net_settings net = { .width = 3, .height = 2, .channels = 1 };
    const struct meta_task_source source = { "task.txt", &of, &net };
    struct meta_task_file task;
    fuzz_write("task.txt", data, size);
    meta_task_file_read(&task, &source, 3, &error);
    meta_task_file_free(&task);
    return 0;
}
