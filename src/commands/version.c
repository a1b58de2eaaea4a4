/* darknet meta version: prints the program's version, which is that of the library. */
#include "adaptation/darknet_meta.h"
#include "flags.h"
#include "usage.h"

#include <stdio.h>

int meta_command_version(int argc, char **argv)
{
    const struct meta_syntax syntax = { "version", 0, 0, NULL, 0 };
    meta_flags_parse(argc, argv, &syntax);
    printf("darknet-meta %d.%d.%d\n", DARKNET_META_VERSION_MAJOR, DARKNET_META_VERSION_MINOR,
           DARKNET_META_VERSION_PATCH);
    return 0;
}
