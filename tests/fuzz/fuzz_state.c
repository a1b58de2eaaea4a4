/* Checkpoints. What reads them looks at the check sum first, so that half of the inputs get the right one. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "backends/reference/reference.h"
#include "base/checksum.h"
#include "base/pool.h"
#include "config/model.h"
#include "learning/outer_loop.h"
#include "tasks/curriculum.h"
#include "training/checkpoint.h"
#include "training/fingerprint.h"

static const char cfg[] =
    "[net]\nwidth=4\nheight=4\nchannels=1\nlearning_rate=.1\nadam=1\nmax_batches=9\n"
    "[episode]\nways=2\nshots=1\nqueries=2\ntasks=2\nsampler=curriculum\nwindow=3\n"
    "[convolutional]\nfilters=2\nsize=3\npad=1\nbatch_normalize=1\nactivation=relu\n"
    "[connected]\noutput=2\nactivation=linear\n[softmax]\n[inner_loop]\nsteps=1\n";
static const char now[] = "-seed=1\n-backend=reference\ninstructions=avx2\nnumber of sections=7\ntype of section 1=[net]\n"
                          "[net] width (section 1)=4\n[meta_loss] eta (section 7)=5\nimages in the training list=9\n";

static struct meta_error error;
static struct meta_model *model;
static struct meta_pool *pool;
static struct meta_outer *outer;
static struct meta_curriculum *curriculum;
static char *state;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    fuzz_write_text("x.cfg", cfg);
    FUZZ_NEED(!meta_model_load(&model, "x.cfg", &error));
    FUZZ_NEED(!meta_pool_create(&pool, 1, &error));
    FUZZ_NEED(!meta_outer_create(&outer, &(struct meta_outer_parts){ model, &meta_backend_reference, pool, 1, NULL, NULL }, &error));
    FUZZ_NEED(!meta_curriculum_create(&curriculum, 4, model->episode, 1, 1, &error));
    FUZZ_NEED((state = calloc(1, meta_outer_bytes(outer) + meta_curriculum_bytes(curriculum))));
    return 0;
}

static void mend_check_sum(char *file, size_t size)
{
    uint32_t crc = 0;
    memcpy(file + 12, &crc, sizeof crc);
    crc = meta_checksum_add(0, file, size);
    memcpy(file + 12, &crc, sizeof crc);
}

/* The state as far as it goes, and zeros behind it: its size would be refused before it is looked at. */
static void load(const struct meta_checkpoint *c)
{
    static const double auc[] = { .5, .75 };
    size_t room = meta_outer_bytes(outer) + meta_curriculum_bytes(curriculum);
    memset(state, 0, room);
    memcpy(state, c->state, c->state_size < room ? c->state_size : room);
    meta_outer_load(outer, state);
    meta_outer_check(outer, &error);
    if (meta_curriculum_load(curriculum, state + meta_outer_bytes(outer), &error)) return;
    meta_curriculum_learn(curriculum, auc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_checkpoint c;
    char was[META_INSTRUCTIONS], is[META_INSTRUCTIONS], *file = malloc(size + 1);
    FUZZ_NEED(file);
    memcpy(file, data, size);
    if (size >= 64 && file[size - 1] % 2) mend_check_sum(file, size);
    fuzz_write("x.state", file, size);
    free(file);
    if (meta_checkpoint_read(&c, "x.state", &error)) return 0;
    meta_fingerprint_compare(c.settings, now, &error);
    meta_fingerprint_compare_unweighed(c.settings, now, &error);
    meta_fingerprint_moved(c.settings, now, was, is);
    load(&c);
    meta_checkpoint_free(&c);
    return 0;
}
