/* Opens libdarknet-meta-opencv.so, which is made of the project's C++ files. */
#include "opencv.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "reserve.h"
#include "shared_object.h"

/* OpenCV's libraries and those they stand on (GDAL among them) take 194 MB of addresses on
   Debian 12. While they are loaded they write lines of their own when they find no memory. */
#define LOADING ((size_t)224 << 20)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *object;
static struct meta_error failure; /* where there is no object */

static void open_object(void)
{
    char *path = meta_place_find("libdarknet-meta-opencv.so", &failure);
    if (!path) return;
    if (meta_shared_object_check(path, &failure)) {
        free(path);
        return;
    }
    if (!meta_reserve_room(LOADING)) {
        meta_fail(&failure, "%s: out of memory: OpenCV's libraries need %zu MB of addresses", path,
                  LOADING >> 20);
        free(path);
        return;
    }
    object = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!object) {
        meta_fail(&failure,
                  "%s: can't be loaded: %s: make builds it, the package libopencv-dev brings the "
                  "libraries it needs",
                  path, meta_place_reason(path));
    }
    free(path);
}

const void *meta_opencv_table(const char *name, struct meta_error *error)
{
    pthread_once(&once, open_object);
    const void *table = object ? dlsym(object, name) : NULL;
    if (!table) {
        if (object)
            meta_fail(error,
                      "libdarknet-meta-opencv.so: has no %s: it is of another build than this "
                      "program",
                      name);
        else *error = failure;
    }
    return table;
}
