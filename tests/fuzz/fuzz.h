/* What every target has: a folder of its own, which is the current one, and files in it that are made
   of the input. LLVMFuzzerInitialize calls fuzz_begin. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_write(const char *name, const void *data, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd)) abort();
}

static inline void fuzz_write_text(const char *name, const char *text) { fuzz_write(name, text, strlen(text)); }

/* tests/fuzz/run.sh makes TMPDIR, and removes it. */
static inline void fuzz_begin(void)
{
    char folder[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder) || chdir(folder)) abort();
}

/* An input of several files: they are parted by lines of three percent signs. Writes the next one to
   `name` and takes it off the input; without any bytes left it is empty. */
static inline void fuzz_write_part(const char *name, const uint8_t **data, size_t *size)
{
    static const char mark[] = "\n%%%\n";
    size_t length = sizeof mark - 1;
    const uint8_t *end = *size ? memmem(*data, *size, mark, length) : NULL;
    size_t own = end ? (size_t)(end - *data) : *size, used = end ? own + length : own;
    fuzz_write(name, *data, own);
    *data += used;
    *size -= used;
}

/* What a target stands on must be there: its own files and memory. */
#define FUZZ_NEED(condition) do { if (condition) break; fprintf(stderr, "%s: %s\n", #condition, error.text); abort(); } while (0)

#endif
