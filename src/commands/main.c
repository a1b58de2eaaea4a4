/* darknet meta VERB ... is ours; every other command line is the stock darknet's. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/floating.h"
#include "base/json.h"
#include "darknet_flags.h"
#include "flags.h"
#include "host/stock.h"
#include "memory_hooks.h"
#include "usage.h"

static int fail_verb(const char *verb)
{
    struct meta_error error;
    size_t size = sizeof error.text;
    size_t used = verb ? snprintf(error.text, size, "meta %.60s: unknown verb; allowed:", verb)
                       : snprintf(error.text, size, "meta: needs a verb:");
    for (const struct meta_verb *v = meta_verbs; v->name; v++)
        used += snprintf(error.text + used, size - used, " %s", v->name);
    snprintf(error.text + used, size - used, "; -h explains them");
    return meta_complain(&error);
}

static int run_verb(int argc, char **argv)
{
    if (!argc) return fail_verb(NULL);
    if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help")) {
        meta_print_verbs();
        return 0;
    }
    if (!strcmp(argv[0], "options")) argv[0] = "help";
    for (const struct meta_verb *v = meta_verbs; v->name; v++)
        if (!strcmp(argv[0], v->name)) return v->run(argc - 1, argv + 1);
    return fail_verb(argv[0]);
}

/* Puts a file that can't be read from or written to in the place of a standard stream that was
   closed when we were started: the next file that is opened would take it. */
static void hold_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0) return;
}

/* A file that reaches a limit of its size (ulimit -f) is then a failed write, as on a full disk,
   and not the end of the program. Programs that we start have the signal's usual effect. */
static void ignore_size_limit(void) { signal(SIGXFSZ, SIG_IGN); }

/* The page of a mapped file that is not there any more: somebody has cut a list's cache short while
   it is in use, or its disk fails. There is no way on, in whatever thread. */
static void end_without_file(int number)
{
    static const char text[] = "darknet: a file that is in use was cut short, or can't be read any "
                               "more, such as a list's .cache: start again\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    _exit(1);
}

int main(int argc, char **argv)
{
    struct meta_error error;
    argc = meta_darknet_flags(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "meta")) {
        hold_streams();
        meta_memory_hooks();
        meta_floating_flush();
        meta_json_watch();
        ignore_size_limit();
        signal(SIGBUS, end_without_file);
        int status = run_verb(argc - 2, argv + 2);
        /* What could not be written was not said: a full disk is no success. Past 128 a signal
           ended the verb, which may be that of the stream's end. */
        if ((fflush(stdout) || ferror(stdout)) && status <= 128) {
            meta_fail(&error, "standard output: can't write");
            return meta_complain(&error);
        }
        if (!status && meta_memory_refused()) {
            meta_fail(&error, "out of memory: what was printed or written may lack a part");
            return meta_complain(&error);
        }
        return status;
    }
    meta_stock_exec(argv, &error);
    return meta_complain(&error);
}
