/* Writes and reads checkpoints. */
#include "checkpoint.h"
#include "base/checksum.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* Raised when the format changes, or what training makes of a checkpoint: random keys, order of
   sums, update rules. */
#define VERSION 2

/* A file is this head of 64 bytes; then the settings with their final zero, filled up to a multiple
   of 16; then the state. */
struct head {
    char magic[8];
    uint32_t version, crc; /* crc: of the whole file with this field 0 */
    uint64_t iteration, seen, settings_size, state_size, weighed, updates;
};
_Static_assert(sizeof(struct head) == 64, "the head is written as it is");

static const char magic[8] = "METASTA";
static const char zeros[16];

static size_t padding(size_t n) { return (16 - n % 16) % 16; }

int meta_checkpoint_write(const char *path, const struct meta_checkpoint *c,
                          struct meta_error *error)
{
    struct head h = { .version = VERSION,
                      .iteration = c->iteration,
                      .seen = c->seen,
                      .settings_size = strlen(c->settings) + 1,
                      .state_size = c->state_size,
                      .weighed = c->weighed,
                      .updates = c->updates };
    memcpy(h.magic, magic, sizeof magic);
    struct meta_chunk chunks[] = { { &h, sizeof h },
                                   { c->settings, h.settings_size },
                                   { zeros, padding(h.settings_size) },
                                   { c->state, c->state_size } };
    uint32_t crc = 0;
    for (int i = 0; i < 4; i++) crc = meta_checksum_add(crc, chunks[i].data, chunks[i].size);
    h.crc = crc;
    return meta_file_write(path, chunks, 4, error);
}

int meta_checkpoint_read(struct meta_checkpoint *c, const char *path, struct meta_error *error)
{
    char *data = NULL;
    size_t size, text;
    struct head h;
    memset(c, 0, sizeof *c);
    if (meta_file_read(path, &data, &size, error)) goto fail;
    if (size < sizeof h || memcmp(data, magic, sizeof magic)) {
        meta_fail(error, "%s: is not a checkpoint", path);
        goto fail;
    }
    memcpy(&h, data, sizeof h);
    if (h.version != VERSION) {
        meta_fail(error, "%s: checkpoint of version %u: this program reads version %d", path,
                  h.version, VERSION);
        goto fail;
    }
    text = h.settings_size + padding(h.settings_size);
    if (h.settings_size > size || h.state_size > size || sizeof h + text + h.state_size != size) {
        meta_fail(error, "%s: %zu bytes, %zu expected: the checkpoint is damaged", path, size,
                  sizeof h + text + (size_t)h.state_size);
        goto fail;
    }
    ((struct head *)data)->crc = 0;
    if (meta_checksum_add(0, data, size) != h.crc || !h.settings_size
        || data[sizeof h + h.settings_size - 1]) {
        meta_fail(error,
                  "%s: the checkpoint is damaged: its check sum is not that of its %zu bytes", path,
                  size);
        goto fail;
    }
    c->iteration = h.iteration;
    c->seen = h.seen;
    c->weighed = h.weighed;
    c->updates = h.updates;
    c->settings = data + sizeof h;
    c->state = data + sizeof h + text;
    c->state_size = h.state_size;
    c->owned = data;
    return 0;
fail:
    free(data);
    return -1;
}

void meta_checkpoint_free(struct meta_checkpoint *c)
{
    free(c->owned);
    memset(c, 0, sizeof *c);
}
