/* STEM.temperature, with the check sum that the text must have, too, so that its lines are read. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "base/checksum.h"
#include "network/temperature_file.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

static void read_all(void)
{
    static const char *const kinds[] = { "batch", "support", "running" };
    struct meta_temperatures t;
    char why[128];
    if (meta_temperatures_read(&t, "x.temperature", &error)) return;
    for (int i = 0; i < 3; i++) {
        const struct meta_temperature_use use = { t.ways, t.steps, t.learning_rate, kinds[i], 2.5, 1, "" };
        FUZZ_NEED(meta_temperatures_choose(&t, &use, why, sizeof why) >= 0);
    }
    FUZZ_NEED(!meta_temperatures_write(&t, "y.temperature", "again", &error));
    FUZZ_NEED(!meta_temperatures_read(&t, "y.temperature", &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char first[] = "# Temperatures of adapted weights, format 1\n";
    fuzz_write("x.temperature", data, size);
    read_all();
    size_t n = sizeof first - 1 + size;
    char *text = malloc(n + 32);
    if (!text) return 0;
    memcpy(text, first, sizeof first - 1);
    if (size) memcpy(text + sizeof first - 1, data, size);
    if (text[n - 1] != '\n') text[n++] = '\n';
    n += (size_t)sprintf(text + n, "crc32=%08x\n", meta_checksum_add(0, text, n));
    fuzz_write("x.temperature", (const uint8_t *)text, n);
    free(text);
    read_all();
    return 0;
}
