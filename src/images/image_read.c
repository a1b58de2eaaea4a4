/* Reads and decodes an image file. Its format, size and damage are looked at before a decoder sees
   the bytes, and only formats that are known here reach OpenCV: among those it knows itself are
   some whose decoders open other files, or addresses, named inside the data. */
#include "image_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/opencv.h"
#include "image_orientation.h"
#include "image_place.h"

/* A file that libpng or OpenCV decodes. */
static int decode_format(const unsigned char *data, size_t size,
                         const struct meta_image_format *format, struct meta_image *image,
                         struct meta_image_header *header, struct meta_error *error)
{
    unsigned char *plain = NULL;
    size_t plain_size = 0;
    if (format->header(data, size, header, error)) return -1;
    image->w = header->w;
    image->h = header->h;
    if (!strcmp(format->name, "PNG"))
        return meta_image_png_decode(data, size, header->deep, image, error);
    const struct meta_image_opencv *opencv = meta_opencv_table("meta_image_opencv", error);
    if (!opencv || meta_image_bmp_masks_behind(&plain, &plain_size, data, size, error)) return -1;
    int status = opencv->decode(plain ? plain : data, plain ? plain_size : size, header->deep,
                                format->name, image, error);
    free(plain);
    return status;
}

/* Makes of the decoded samples what is asked for. What was decoded at a part of its size is shrunk
   as it lies: turned, its cut pixels could be the first ones. */
static int finish(struct meta_image *image, const struct meta_image_header *header,
                  const struct meta_image_reading *reading, struct meta_error *error)
{
    if (meta_image_to_bytes(image, header, reading, error)
        || (header->part > 1 && meta_image_fit_part(image, header, reading->shorter, error))
        || (!reading->as_stored && meta_image_turn(image, header->orientation, error)))
        return -1;
    return reading->shorter ? meta_image_fit(image, reading->shorter, error) : 0;
}

/* Decodes by the decoder that the first bytes choose. */
static int decode_any(const struct meta_image_file *file, const struct meta_image_reading *reading,
                      struct meta_image *image, struct meta_image_header *header,
                      struct meta_error *error)
{
    int known;
    const struct meta_image_format *format = meta_image_format(file->data, file->size);
    int jpeg = file->size >= 3 && !memcmp(file->data, "\xff\xd8\xff", 3);
    if ((jpeg || format) && file->frame) return meta_image_no_frame(file->frame, 1, "image", error);
    if (jpeg) return meta_image_jpeg(file->data, file->size, reading, image, header, error);
    if (format) return decode_format(file->data, file->size, format, image, header, error);
    if (meta_image_refuse(file->data, file->size, reading->path, error)) return -1;
    int status = meta_image_by_codec(file, image, header, &known, error);
    if (known) return status;
    return meta_fail(error, "is no image: must be %s", META_IMAGE_KINDS);
}

int meta_image_decode(const void *data, size_t size, const struct meta_image_reading *reading,
                      struct meta_image *image, struct meta_error *error)
{
    int channels = reading->channels;
    struct meta_image_header header = { .orientation = 1 };
    const struct meta_image_file file = { data, size, reading->frame };
    *image = (struct meta_image){ .c = channels };
    if (channels != 1 && channels != 3)
        return meta_fail(error, "channels=%d: must be 1 or 3", channels);
    if (!size) return meta_fail(error, "is empty");
    if (size > META_IMAGE_MOST_BYTES)
        return meta_fail(error, "is %zu bytes: must be at most %u", size, META_IMAGE_MOST_BYTES);
    if (decode_any(&file, reading, image, &header, error)) return -1;
    if (!finish(image, &header, reading, error)) return 0;
    free(image->pixels);
    image->pixels = NULL;
    return -1;
}

/* Reads the file of the place, which the path led to. */
static int read_place(const char *path, const struct meta_image_place *place,
                      const struct meta_image_reading *reading, struct meta_image *image,
                      struct meta_error *error)
{
    struct meta_error why;
    struct meta_image_reading own = *reading;
    struct stat info;
    char *data = NULL;
    size_t size = 0;
    own.frame = place->frame;
    own.path = place->file;
    if (!stat(place->file, &info) && S_ISREG(info.st_mode)
        && info.st_size > (off_t)META_IMAGE_MOST_BYTES)
        return meta_fail(error, "%s: is %lld bytes: must be at most %u", path,
                         (long long)info.st_size, META_IMAGE_MOST_BYTES);
    if (meta_file_read(place->file, &data, &size, error)) return -1;
    int status = meta_image_decode(data, size, &own, image, &why);
    if (!status) image->digest = meta_image_place_digest(meta_digest(data, size), place->frame);
    free(data);
    return status ? meta_fail(error, "%s: %s", path, why.text) : 0;
}

int meta_image_read(const char *path, const struct meta_image_reading *reading,
                    struct meta_image *image, struct meta_error *error)
{
    struct meta_image_place place;
    *image = (struct meta_image){ 0 };
    if (meta_image_place_find(&place, path, error)) return -1;
    int status = read_place(path, &place, reading, image, error);
    free(place.file);
    return status;
}
