/* Writes a classifier as a file of ONNX, with its classes' names and this program's version. */
#include "onnx_file.h"

#include <stdio.h>

#include "adaptation/darknet_meta.h"
#include "onnx/onnx.h"

int meta_begin_onnx(struct meta_new_file **file, const struct meta_filled *filled,
                    const struct meta_data *data, const char *description, const char *path,
                    struct meta_error *error)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", DARKNET_META_VERSION_MAJOR,
             DARKNET_META_VERSION_MINOR, DARKNET_META_VERSION_PATCH);
    const struct meta_onnx_about about = { version, description, data ? data->names : NULL,
                                           data ? data->classes : 0 };
    return meta_onnx_begin(file, filled, &about, path, error);
}
