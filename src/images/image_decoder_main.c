/* darknet-meta-decoder: decodes the image files that it is sent over its standard input, a socket,
   by one part of the program. Codecs of many kinds are much code of others, and files are damaged:
   what a codec does to its process is done to this one, which may take so much memory and time. It
   ends when the socket does. */
#include "image_wire.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "base/place.h"

#ifndef __SANITIZE_ADDRESS__
#define __SANITIZE_ADDRESS__ 0
#endif
#ifndef __SANITIZE_THREAD__
#define __SANITIZE_THREAD__ 0
#endif

/* A sanitizer has the address space for itself, and writes a log. */
enum { SANITIZED = __SANITIZE_ADDRESS__ || __SANITIZE_THREAD__ };

static void set_limit(int what, rlim_t most)
{
    const struct rlimit limit = { most, most };
    setrlimit(what, &limit);
}

/* Signals that stop the program leave a decoder at its work: it ends with the program. */
static void prepare(void)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    set_limit(RLIMIT_CORE, 0);
    if (SANITIZED) return;
    set_limit(RLIMIT_FSIZE, 0);
    set_limit(RLIMIT_AS, META_IMAGE_DECODER_MEMORY);
}

/* A signal ends the process after so many seconds of processor time. */
static void set_clock(int seconds)
{
    const struct itimerval clock = { .it_value = { .tv_sec = seconds } };
    setitimer(ITIMER_PROF, &clock, NULL);
}

static const struct meta_image_codecs *open_part(const char *path, struct meta_error *error)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct meta_image_codecs *table = object ? dlsym(object, "meta_image_codecs") : NULL;
    if (!object) meta_fail(error, "%s: can't be loaded: %s", path, meta_place_reason(path));
    else if (!table || table->size != sizeof *table) {
        meta_fail(error, "%s: is of another build than this program", path);
        table = NULL;
    }
    return table;
}

static void decode(const struct meta_image_codecs *table, const struct meta_wire_question *asked,
                   const unsigned char *data, struct meta_image_raster *raster,
                   struct meta_wire_answer *answer)
{
    const struct meta_image_file file = { data, asked->size, asked->frame };
    answer->failed = table->codec[asked->codec](&file, raster, &answer->header, &answer->error);
    if (answer->failed) return;
    const struct meta_image_header *h = &answer->header;
    answer->channels = raster->channels;
    answer->size = (uint64_t)h->w * (uint64_t)h->h * (uint64_t)raster->channels * (h->deep ? 2 : 1);
}

/* One question, and its answer. 0; -1: there are no more. */
static int serve(const struct meta_image_codecs *table, const struct meta_error *no_table)
{
    struct meta_wire_question asked;
    struct meta_wire_answer answer = { .failed = 1, .error = *no_table };
    struct meta_image_raster raster = { 0 };
    if (meta_wire_read(0, &asked, sizeof asked) || asked.size > META_IMAGE_MOST_BYTES) return -1;
    unsigned char *data = malloc(asked.size);
    if (!data || meta_wire_read(0, data, asked.size)) return -1;
    set_clock(META_IMAGE_DECODER_SECONDS);
    if (table) decode(table, &asked, data, &raster, &answer);
    set_clock(0);
    free(data);
    int status = meta_wire_write(0, &answer, sizeof answer)
        || meta_wire_write(0, raster.samples, answer.size);
    free(raster.samples);
    return status ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct meta_error error = { "" };
    if (argc != 2) return 2;
    prepare();
    const struct meta_image_codecs *table = open_part(argv[1], &error);
    while (!serve(table, &error)) continue;
    return 0;
}
