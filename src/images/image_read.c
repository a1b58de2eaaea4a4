/* Reads and decodes an image file. Its format, size and damage are looked at before a decoder sees
   the bytes, and only formats that are known here reach OpenCV: among those it knows itself are
   some whose decoders open other files, or addresses, named inside the data. */
#include "image_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/opencv.h"
#include "image_format.h"

int meta_image_decode(const void *data, size_t size, int channels, struct meta_image *image,
                      struct meta_error *error)
{
    *image = (struct meta_image){ .c = channels };
    if (channels != 1 && channels != 3)
        return meta_fail(error, "channels=%d: must be 1 or 3", channels);
    if (!size) return meta_fail(error, "is empty");
    if (size > META_IMAGE_MOST_BYTES)
        return meta_fail(error, "is %zu bytes: must be at most %u", size, META_IMAGE_MOST_BYTES);
    if (size >= 3 && !memcmp(data, "\xff\xd8\xff", 3))
        return meta_image_jpeg(data, size, channels, image, error);
    const struct meta_image_format *format = meta_image_format(data, size);
    if (!format)
        return meta_fail(error, "is no image: must be a JPEG, PNG, BMP, or binary PGM or PPM file");
    if (format->header(data, size, image, error)) return -1;
    const struct meta_image_opencv *opencv = meta_opencv_table("meta_image_opencv", error);
    return opencv ? opencv->decode(data, size, channels, format->name, image, error) : -1;
}

int meta_image_read(const char *path, int channels, struct meta_image *image,
                    struct meta_error *error)
{
    struct meta_error why;
    struct stat info;
    char *data = NULL;
    size_t size = 0;
    *image = (struct meta_image){ 0 };
    if (!stat(path, &info) && S_ISREG(info.st_mode) && info.st_size > (off_t)META_IMAGE_MOST_BYTES)
        return meta_fail(error, "%s: is %lld bytes: must be at most %u", path,
                         (long long)info.st_size, META_IMAGE_MOST_BYTES);
    if (meta_file_read(path, &data, &size, error)) return -1;
    int status = meta_image_decode(data, size, channels, image, &why);
    if (!status) image->digest = meta_digest(data, size);
    free(data);
    return status ? meta_fail(error, "%s: %s", path, why.text) : 0;
}
