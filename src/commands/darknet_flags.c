/* Takes Darknet's own flags, which choose a GPU or keep windows shut, from a command line. */
#include "darknet_flags.h"
#include "flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct darknet_flag {
    const char *name, *value; /* value: the characters it may have; NULL: there is none */
    const char *must;
};

static const struct darknet_flag known[] = { { "-i", "-0123456789", "a whole number" },
                                             { "-gpus", "0123456789,",
                                               "numbers separated by commas" },
                                             { "-nogpu", NULL, NULL },
                                             { "-dont_show", NULL, NULL } };

static const struct darknet_flag *find(const char *word)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i].name)) return &known[i];
    return NULL;
}

static int is_meta(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const struct darknet_flag *f = find(argv[i]);
        if (!f) return !strcmp(argv[i], "meta");
        i += f->value != NULL;
    }
    return 0;
}

static void check_value(const struct darknet_flag *f, const char *value)
{
    struct meta_error error;
    if (value && *value && !value[strspn(value, f->value)]) return;
    meta_fail(&error, "%s%s%.60s: must be %s", f->name, value ? " " : "", value ? value : "",
              f->must);
    exit(meta_complain(&error));
}

int meta_darknet_flags(int argc, char **argv)
{
    char said[200] = "";
    int words = 1, gpu = 0, window = 0;
    if (!is_meta(argc, argv)) return argc;
    for (int i = 1; i < argc; i++) {
        const struct darknet_flag *f = find(argv[i]);
        if (!f) {
            argv[words++] = argv[i];
            continue;
        }
        if (f->value) check_value(f, i + 1 < argc ? argv[i + 1] : NULL);
        i += f->value != NULL;
        if (!strstr(said, f->name) && strlen(said) + strlen(f->name) + 3 < sizeof said)
            sprintf(said + strlen(said), "%s%s", *said ? ", " : "", f->name);
        window |= !strcmp(f->name, "-dont_show");
        gpu |= strcmp(f->name, "-dont_show") != 0;
    }
    argv[words] = NULL;
    if (*said)
        fprintf(stderr, "darknet: %s: changes nothing: %s%s%s\n", said,
                gpu ? "this build has no GPU part, everything runs on the CPU" : "",
                gpu && window ? "; " : "", window ? "no command opens a window" : "");
    return words;
}
