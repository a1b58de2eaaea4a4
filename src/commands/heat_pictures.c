/* Draws where a network saw the classes of images, a picture an image. */
#include "heat_pictures.h"
#include "base/file.h"
#include "base/head.h"
#include "base/path.h"
#include "heat_file.h"
#include "images/image.h"
#include "tasks/file_id.h"
#include "tasks/view.h"

#include <stdlib.h>

/* The fewest pixels of the longer side of a picture. */
#define PICTURE 448

/* The settings of a picture's view: the network's, with so many times its pixels that PICTURE is
   reached. */
static struct meta_net_settings picture_settings(const struct meta_heat_pictures *p)
{
    struct meta_net_settings net = p->classifier->model->net;
    int longer = net.width > net.height ? net.width : net.height,
        times = (PICTURE + longer - 1) / longer;
    net.width *= times;
    net.height *= times;
    net.channels = 3;
    return net;
}

/* Refuses a folder where a picture would overwrite an image, or what is no such picture. */
static int check_names(const struct meta_heat_pictures *p, const struct meta_paths *paths,
                       struct meta_error *error)
{
    struct meta_file_id *images = malloc((paths->count + 1) * sizeof *images), picture;
    int count = 0,
        status = images ? 0 : meta_fail(error, "out of memory for %d paths", paths->count);
    for (int i = 0; i < paths->count && !status; i++)
        if (!meta_file_id_image(&images[count], paths->path[i])) images[count++].frame = 0;
    if (!status) qsort(images, count, sizeof *images, meta_file_id_order);
    for (int i = 0; i < paths->count && !status; i++) {
        char *name = meta_path_name(p->folder, paths->path[i], ".png");
        if (!name) status = meta_fail_memory(error);
        else if (meta_file_check_name(name, error)) status = -1;
        else if (!meta_file_id_find(&picture, name)
                 && bsearch(&picture, images, count, sizeof *images, meta_file_id_order))
            status = meta_fail(error,
                               "-heat %s: would overwrite %s, which is one of the images: must be "
                               "another folder",
                               p->folder, name);
        else if (!meta_heat_is(name) && meta_head_there(name))
            status = meta_fail(error,
                               "-heat %s: would overwrite %s, which is not of meta predict -heat: "
                               "must be another folder",
                               p->folder, name);
        free(name);
    }
    free(images);
    return status;
}

int meta_heat_pictures_open(struct meta_heat_pictures *p, const struct meta_classifier *classifier,
                            const struct meta_data *data, const struct meta_paths *paths,
                            struct meta_error *error)
{
    int w, h;
    if (!p->folder) return 0;
    p->classifier = classifier;
    p->data = data;
    struct meta_net_settings net = picture_settings(p);
    if (meta_paths_check_names(paths, p->folder, error) || check_names(p, paths, error)
        || meta_heat_create(&p->heat, p->classifier->filled, p->classifier->backend, error))
        return -1;
    meta_heat_size(p->heat, &w, &h);
    p->map = malloc((size_t)w * h * sizeof *p->map);
    p->picture = malloc((size_t)3 * net.width * net.height * sizeof *p->picture);
    if (!p->map || !p->picture)
        return meta_fail(error, "out of memory for a picture of %dx%d pixels", net.width,
                         net.height);
    struct meta_error why;
    return meta_path_make_folder(p->folder, &why) ? meta_fail(error, "-heat %s", why.text) : 0;
}

/* The part of a picture that the network sees: all, or what a first [crop] leaves. Its pixels are
   allocated, or NULL. */
static struct meta_image blank_picture(const struct meta_heat_pictures *p,
                                       const struct meta_net_settings *net, int *left, int *top)
{
    const struct meta_network *network = p->classifier->model->network;
    const struct meta_layer *first = &network->layers[0];
    int times = net->width / network->input.w;
    struct meta_shape seen = first->type == META_CROP ? first->out : network->input;
    *left = times * ((network->input.w - seen.w) / 2);
    *top = times * ((network->input.h - seen.h) / 2);
    struct meta_image image = { .w = times * seen.w, .h = times * seen.h, .c = 3 };
    image.pixels = malloc((size_t)3 * image.w * image.h);
    return image;
}

int meta_heat_pictures_write(struct meta_heat_pictures *p, const char *path, const float *image,
                             int class, struct meta_error *error)
{
    struct meta_net_settings net = picture_settings(p);
    size_t area = (size_t)net.width * net.height, size;
    int left, top;
    struct meta_image drawn = blank_picture(p, &net, &left, &top);
    unsigned char *png = NULL;
    char *name = meta_path_name(p->folder, path, ".png");
    int w, h, status = -1;
    meta_heat_size(p->heat, &w, &h);
    if (!drawn.pixels || !name) {
        meta_fail(error, "out of memory for a picture of %dx%d pixels", net.width, net.height);
        goto fail;
    }
    if (meta_heat_map(p->heat, image, class, p->map, error)) goto fail;
    if (meta_view_file(path, p->data, &net, p->picture, error)) goto fail;
    for (int y = 0; y < drawn.h; y++)
        for (int x = 0; x < 3 * drawn.w; x++) {
            size_t from = (size_t)(top + y) * net.width + left + x / 3;
            drawn.pixels[(size_t)y * 3 * drawn.w + x] = 255 * p->picture[x % 3 * area + from] + .5;
        }
    if (meta_image_heat(&drawn, p->map, w, h, error) || meta_image_png(&drawn, &png, &size, error))
        goto fail;
    status = meta_heat_write(name, png, size, error);
fail:
    free(name);
    free(drawn.pixels);
    free(png);
    return status;
}

void meta_heat_pictures_clear(struct meta_heat_pictures *p)
{
    meta_heat_free(p->heat);
    free(p->map);
    free(p->picture);
    *p = (struct meta_heat_pictures){ .folder = p->folder };
}
