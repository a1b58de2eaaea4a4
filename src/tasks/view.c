/* Makes what the network sees of an image: Darknet's test-time view, or its augmentation. */
#include <math.h>
#include <stdlib.h>

#include "depth.h"
#include "view.h"
#include "images/image.h"
#include "base/rng.h"
#include "images/warp.h"

/* Shows the whole shorter side, and the middle of the longer one. */
static void centred(const struct meta_pixels *s, int width, int height, float *out)
{
    /* source pixels for each output pixel */
    double step = fmin((double)s->w / width, (double)s->h / height);
    double left = (s->w - width * step) / 2, top = (s->h - height * step) / 2;
    if (step == 1) { /* whole pixels need no interpolation */
        left = floor(left);
        top = floor(top);
    }
    double middle = (step - 1) / 2; /* the centre of a pixel is half a pixel in */
    struct meta_affine affine = { { step, 0, left + middle, 0, step, top + middle } };
    meta_warp(s, &affine, META_OUTSIDE_NEAREST, out, width, height);
}

/* Darknet's rand_scale: a factor that is as likely above 1 as below. */
static double factor(struct meta_rng *r, double most)
{
    double scale = meta_rng_between(r, 1, most);
    return meta_rng_below(r, 2) ? scale : 1 / scale;
}

/* Darknet's random_augment_image, flip_image and random_distort_image. Every image makes the same
   draws whatever is switched off, so that one key of [net] does not change what the others give. */
static void augmented(const struct meta_pixels *s, const struct meta_view *view, float *out)
{
    const struct meta_net_settings *net = view->net;
    struct meta_rng r = meta_rng_open(view->seed, META_USE_AUGMENT, view->iteration, view->task,
                                      view->position);
    int least = net->min_crop < net->max_crop ? net->min_crop : net->max_crop,
        range = abs(net->max_crop - net->min_crop) + 1;
    double w = net->width, h = net->height;

    double aspect = factor(&r, net->aspect);
    double shorter = fmin(s->h, s->w * aspect),
           scale = (least + meta_rng_below(&r, range)) / shorter;
    double angle = meta_rng_between(&r, -1, 1) * net->angle * M_PI / 180;
    double dx = meta_rng_between(&r, -1, 1) * (s->w * scale / aspect - w) / 2;
    double dy = meta_rng_between(&r, -1, 1) * (s->h * scale - h) / 2;
    int mirror = meta_rng_below(&r, 2) && net->flip;
    double hue = meta_rng_between(&r, -1, 1) * net->hue;
    double saturation = factor(&r, net->saturation), exposure = factor(&r, net->exposure);

    /* Darknet's rotate_crop_image, with the middle of a pixel half a pixel in, so that a cut
       reaches every edge of the source alike: output (x, y) shows the source at rotation * (x + 1/2
       - w/2 + dx, y + 1/2 - h/2 + dy) + (middle of the source) - 1/2 */
    double a = cos(angle) * aspect / scale, b = -sin(angle) / scale,
           d = sin(angle) * aspect / scale, e = cos(angle) / scale;
    double x = dx + .5 - w / 2, y = dy + .5 - h / 2;
    struct meta_affine affine = { { a, b, a * x + b * y + s->w / 2. - .5, d, e,
                                    d * x + e * y + s->h / 2. - .5 } };
    if (mirror) { /* x becomes w - 1 - x */
        affine.m[2] += a * (w - 1);
        affine.m[5] += d * (w - 1);
        affine.m[0] = -a;
        affine.m[3] = -d;
    }
    meta_warp(s, &affine, META_OUTSIDE_BLACK, out, net->width, net->height);
    if (hue != 0 || saturation != 1 || exposure != 1)
        meta_distort(out, s->c, (size_t)net->width * net->height, hue, saturation, exposure);
}

void meta_view_image(const struct meta_dataset *set, int item, const struct meta_view *view,
                     float *out)
{
    struct meta_pixels s = { set->pixels[item], set->w[item], set->h[item], set->c };
    if (view->augment) augmented(&s, view, out);
    else centred(&s, view->net->width, view->net->height, out);
}

int meta_view_pixels(struct meta_image *image, const struct meta_net_settings *net, float *out,
                     struct meta_error *error)
{
    if (meta_image_fit(image, net->width > net->height ? net->width : net->height, error))
        return -1;
    struct meta_pixels s = { image->pixels, image->w, image->h, image->c };
    centred(&s, net->width, net->height, out);
    return 0;
}

/* The view of a file. largest: gets that of the image, which is checked alone if this is NULL. */
static int view_file(const char *path, const struct meta_data *data,
                     const struct meta_net_settings *net, float *out, int *largest,
                     struct meta_error *error)
{
    const struct meta_image_reading reading = {
        .channels = net->channels,
        .as_stored = net->orientation == META_ORIENTATION_STORED,
        .white = data->range,
        .shorter = net->width > net->height ? net->width : net->height,
        .in_full = data->decode == META_DECODE_FULL
    };
    struct meta_image image;
    struct meta_error why;
    if (meta_image_read(path, &reading, &image, error)) return -1;
    int status = (!largest && meta_depth_check_file(image.largest, data, &why))
        || meta_view_pixels(&image, net, out, &why);
    free(image.pixels);
    if (status) return meta_fail(error, "%s: %s", path, why.text);
    if (largest) *largest = image.largest;
    return 0;
}

int meta_view_file(const char *path, const struct meta_data *data,
                   const struct meta_net_settings *net, float *out, struct meta_error *error)
{
    return view_file(path, data, net, out, NULL, error);
}

int meta_view_listed(struct meta_dataset *set, int item, const struct meta_data *data,
                     const struct meta_net_settings *net, float *out, struct meta_error *error)
{
    return view_file(set->paths[item], data, net, out, &set->largest[item], error);
}
