/* Keeps decoders, processes that decode image files, and talks to them. */
#define _GNU_SOURCE
#include "image_decoder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/place.h"
#include "base/process.h"
#include "image_wire.h"

struct decoder {
    const struct meta_decoder_part *part;
    pid_t pid, owner; /* owner: the process that started it; a fork of it leaves it alone */
    int socket;
    struct decoder *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct decoder *idle; /* guarded by `mutex` */

static struct decoder *take(const struct meta_decoder_part *part)
{
    struct decoder *found = NULL;
    pid_t own = getpid();
    pthread_mutex_lock(&mutex);
    for (struct decoder **d = &idle; *d && !found;) {
        if ((*d)->part == part && (*d)->owner == own) {
            found = *d;
            *d = found->next;
        } else d = &(*d)->next;
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

static void give_back(struct decoder *d)
{
    pthread_mutex_lock(&mutex);
    d->next = idle;
    idle = d;
    pthread_mutex_unlock(&mutex);
}

static int start(struct decoder *d, const char *program, char *part, struct meta_error *error)
{
    int ends[2];
    char *const words[] = { (char *)program, part, NULL };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return meta_fail(error, "can't start a decoder: %s", strerror(errno));
    const int files[3] = { ends[1], -1, -1 };
    int failed = meta_process_start(&d->pid, words, NULL, files);
    close(ends[1]);
    d->socket = ends[0];
    if (!failed) return 0;
    close(ends[0]);
    return meta_fail(error, "%s: can't be started: %s", program, strerror(failed));
}

/* A decoder for the part; NULL: there is none, with the message. */
static struct decoder *create(const struct meta_decoder_part *part, struct meta_error *error)
{
    char *object = meta_place_find(part->file, error), *program = NULL;
    struct decoder *d = NULL;
    if (!object || !(program = meta_place_find("darknet-meta-decoder", error))) goto done;
    if (access(object, R_OK)) {
        meta_fail(error, "%s: can't be loaded: %s: %s", object, strerror(errno), part->hint);
        goto done;
    }
    if (!(d = calloc(1, sizeof *d))) {
        meta_fail_memory(error);
        goto done;
    }
    *d = (struct decoder){ .part = part, .owner = getpid() };
    if (start(d, program, object, error)) {
        free(d);
        d = NULL;
    }
done:
    free(object);
    free(program);
    return d;
}

/* Ends a decoder, and says what it has ended of by itself. Returns whether its time was over. */
static int bury(struct decoder *d, struct meta_error *error)
{
    int status = 0;
    close(d->socket);
    kill(d->pid, SIGKILL);
    while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR) continue;
    free(d);
    int died = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (died == SIGPROF)
        meta_fail(error, "takes more than %d seconds to decode: it is damaged, or too large",
                  META_IMAGE_DECODER_SECONDS);
    else if (died && died != SIGKILL)
        meta_fail(error, "can't be decoded: its decoder ended by signal %d, %s: it is damaged",
                  died, strsignal(died));
    else meta_fail(error, "can't be decoded: its decoder ended");
    return died == SIGPROF;
}

/* Whether an answer is one that a codec may give: the decoder is not trusted more than the file. */
static int is_sound(struct meta_wire_answer *a)
{
    struct meta_error why;
    const struct meta_image_header *h = &a->header;
    int bytes = h->deep ? 2 : 1;
    a->error.text[sizeof a->error.text - 1] = 0;
    if (a->failed) return !a->size;
    return a->channels >= 1 && a->channels <= 4 && h->w > 0 && h->h > 0 && h->white >= 0
        && h->white <= 65535 && !h->part
        && !meta_image_decoded_bounds((unsigned)h->w, (unsigned)h->h, a->channels, bytes, &why)
        && a->size == (uint64_t)h->w * (uint64_t)h->h * (uint64_t)(a->channels * bytes);
}

/* Sends the file and gets the answer. 0; -1: the decoder is of no more use. */
static int talk(const struct decoder *d, int codec, const struct meta_image_file *file,
                struct meta_image_raster *raster, struct meta_wire_answer *a)
{
    const struct meta_wire_question asked = { file->size, codec, file->frame };
    raster->samples = NULL;
    if (meta_wire_write(d->socket, &asked, sizeof asked)
        || meta_wire_write(d->socket, file->data, file->size)
        || meta_wire_read(d->socket, a, sizeof *a) || !is_sound(a))
        return -1;
    if (a->failed) return 0;
    raster->channels = a->channels;
    if ((raster->samples = malloc(a->size)) && !meta_wire_read(d->socket, raster->samples, a->size))
        return 0;
    free(raster->samples);
    raster->samples = NULL;
    return -1;
}

int meta_image_decoder_ask(const struct meta_decoder_part *part, int codec,
                           const struct meta_image_file *file, struct meta_image_raster *raster,
                           struct meta_image_header *header, struct meta_error *error)
{
    struct meta_wire_answer answer;
    /* One that was kept may have been killed while it waited, or broken by an earlier file: then a
       new one is asked. */
    for (int kept = 1;; kept = 0) {
        struct decoder *d = kept ? take(part) : NULL;
        if (!d) kept = 0;
        if (!d && !(d = create(part, error))) return -1;
        if (!talk(d, codec, file, raster, &answer)) {
            give_back(d);
            break;
        }
        if (bury(d, error) || !kept) return -1;
    }
    *header = answer.header;
    if (answer.failed) *error = answer.error;
    return answer.failed ? -1 : 0;
}
