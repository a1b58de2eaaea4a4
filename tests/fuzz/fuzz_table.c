/* .table files, beside a .data file and two .cfg files that they may name; and images.json, what a folder has noted of
   its images: a .table, an images.json. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "paper/table/table_images.h"
#include "paper/table/table_plan.h"
#include "paper/table/table_read.h"
#include <sys/stat.h>

#define NET                                                                                     \
    "[net]\nwidth=8\nheight=8\nchannels=1\nlearning_rate=0.01\nmax_batches=12\n"                 \
    "[episode]\nways=2\nshots=3\nqueries=4\ntasks=5\n"                                           \
    "[connected]\noutput=2\nactivation=linear\n[softmax]\n[inner_loop]\nsteps=2\n"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    fuzz_write_text("m.cfg", NET "[meta_loss]\ntype=mean\n");
    fuzz_write_text("d.cfg", NET "[meta_loss]\ntype=difficulty\nstart=5\n");
    fuzz_write_text("labels", "one_\ntwo_\n");
    fuzz_write_text("train.list", "one_1.png\ntwo_1.png\n");
    fuzz_write_text("test.list", "one_2.png\ntwo_2.png\n");
    fuzz_write_text("x.data", "classes=2\nlabels=labels\ntrain=train.list\ntest=test.list\nbackup=backup\n");
    return mkdir("out", 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_table *t;
    fuzz_write_part("x.table", &data, &size);
    if (size) fuzz_write_part("out/images.json", &data, &size);
    else unlink("out/images.json");
    if (meta_table_read(&t, "x.table", "out", NULL, &error)) return 0;
    meta_table_images(t, 0, &error);
    meta_table_free(t);
    return 0;
}
