/* darknet meta VERB ... is ours; every other command line is the stock darknet's. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "flags.h"
#include "host/stock.h"
#include "usage.h"

static int fail_verb(const char *verb)
{
    struct meta_error error;
    size_t used = verb ? snprintf(error.text, sizeof error.text, "meta %.60s: unknown verb; allowed:", verb)
                       : snprintf(error.text, sizeof error.text, "meta: needs a verb:");
    for (const struct meta_verb *v = meta_verbs; v->name; v++)
        used += snprintf(error.text + used, sizeof error.text - used, " %s", v->name);
    snprintf(error.text + used, sizeof error.text - used, "; -h explains them");
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

/* A standard stream that was closed when we were started would be the next file that is opened: in its place stands one that
   can't be read from or written to. */
static void hold_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0) return;
}

int main(int argc, char **argv)
{
    struct meta_error error;
    if (argc > 1 && !strcmp(argv[1], "meta")) {
        hold_streams();
        int status = run_verb(argc - 2, argv + 2);
        /* what could not be written was not said: a full disk is no success */
        if ((fflush(stdout) || ferror(stdout)) && status <= 128) {          /* past that, a signal ended it: it may be that of the stream's end */
            meta_fail(&error, "standard output: can't write");
            return meta_complain(&error);
        }
        return status;
    }
    meta_stock_exec(argv, &error);
    return meta_complain(&error);
}
