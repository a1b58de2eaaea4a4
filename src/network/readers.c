/* Looks through a network for what OpenCV's importer and other Darknets read otherwise. */
#include "readers.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "opencv_view.h"

/* A program says why it reads layer i otherwise, or NULL. The view is OpenCV's, of what is before
   layer i. */
struct reader {
    const char *name;
    const char *(*why)(const struct meta_network *, int i, const struct meta_opencv_view *);
};

static int has_factors(const struct meta_layer *l) { return l->alpha != 1 || l->beta != 1; }

static int samples(const struct meta_network *net, const struct meta_layer *l)
{
    struct meta_shape a = net->layers[l->from[0]].out;
    return a.w != l->in.w || a.h != l->in.h;
}

static int in_one_form(const struct meta_opencv_view *v, const struct meta_layer *l, int first)
{
    for (int k = 0; k < l->from_count; k++)
        if (v->flat[l->from[k]] != first) return 0;
    return 1;
}

/* OpenCV's importer has no other activations. */
static int opencv_has(enum meta_activation a)
{
    return meta_piecewise_linear(a) || a == META_LOGISTIC || a == META_TANH || a == META_SWISH
        || a == META_MISH;
}

static const char *opencv(const struct meta_network *net, int i, const struct meta_opencv_view *v)
{
    const struct meta_layer *l = &net->layers[i];
    if (!opencv_has(l->activation)) return "its activation";
    switch (l->type) {
    case META_CROP:
    case META_LOCAL: return "not known";
    case META_REORG:
        return l->reverse || l->flatten || l->extra ? "reverse, flatten and extra" : NULL;
    case META_UPSAMPLE:
        if (v->last_flat) return "[upsample] of a [connected]";
        return l->alpha == 1 ? NULL : "scale";
    case META_CONVOLUTIONAL:
        if (meta_layer_dilation(l) > 1) return "dilation, which it leaves out";
        if (v->last_flat) return "a convolution of a [connected]";
        return v->shape.c == l->in.c ? NULL : "its channels, which it counts otherwise";
    case META_CONNECTED:
        return v->last_flat || meta_opencv_view_inputs(v) == meta_shape_numbers(l->in)
            ? NULL
            : "its inputs, which it counts otherwise";
    case META_MAXPOOL:
    case META_AVGPOOL: return v->last_flat ? "a pool of a [connected]" : NULL;
    case META_ACTIVATION: return "not known";
    case META_DROPOUT: return i ? NULL : "of the image";
    case META_ROUTE:
        return in_one_form(v, l, v->flat[l->from[0]]) ? NULL : "[connected] beside maps";
    case META_SHORTCUT:
        if (has_factors(l)) return "alpha and beta";
        if (samples(net, l)) return "a map of another size";
        return in_one_form(v, l, v->last_flat) ? NULL : "[connected] and a map";
    case META_SOFTMAX:
        if (l->temperature != 1) return "temperature";
        return meta_shape_pixels(l->in) > 1 ? "of a map" : NULL;
    default: return NULL;
    }
}

static const char *darknets(const struct meta_network *net, int i)
{
    const struct meta_layer *l = &net->layers[i];
    if (l->type == META_CONVOLUTIONAL && l->size == 1 && l->padding) return "padding of size=1";
    if (l->type == META_DROPOUT && !i) return "of the image";
    return NULL;
}

static size_t patches(const struct meta_layer *l)
{
    return (size_t)meta_shape_pixels(l->out) * l->size * l->size * l->in.c / meta_layer_groups(l);
}

/* Its [local] counts the numbers of its patches as bytes: they fit where a convolution needs as
   much of the memory that they share. */
static int fits_local(const struct meta_network *net, const struct meta_layer *local)
{
    size_t most = 0;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->type != META_CONVOLUTIONAL && l->type != META_LOCAL) continue;
        size_t bytes = patches(l) * (l->type == META_LOCAL ? 1 : sizeof(float));
        if (bytes > most) most = bytes;
    }
    return most >= patches(local) * sizeof(float);
}

static const char *stock(const struct meta_network *net, int i, const struct meta_opencv_view *v)
{
    const struct meta_layer *l = &net->layers[i];
    if (l->type == META_CONVOLUTIONAL && l->size == 1 && l->stride > 1) return "stride of size=1";
    if (meta_layer_dilation(l) > 1) return "dilation, which it leaves out";
    if (l->activation >= META_RELU6) return "its activation, which it takes for relu";
    if (l->type == META_SCALE_CHANNELS) return "not known";
    if (l->type == META_LOCAL && !fits_local(net, l)) return "it writes past its memory";
    return darknets(net, i);
}

/* Their AVX sweep of stride 1 leaves out eight windows at a time where the first begins in the
   padding. */
static int swept_wrongly(const struct meta_layer *l)
{
    return l->type == META_MAXPOOL && l->stride == 1 && l->padding > 1 && l->out.w > l->size + 7;
}

/* Newer Darknets compute these in [convolutional] alone. */
static int convolutional_alone(enum meta_activation a)
{
    return a == META_SWISH || a == META_MISH || a == META_HARD_MISH;
}

static const char *newer(const struct meta_network *net, int i, const struct meta_opencv_view *v)
{
    const struct meta_layer *l = &net->layers[i];
    if (meta_layer_dilation(l) > 1 && 2 * l->padding != meta_layer_extent(l) - 1)
        return "dilation, whose outputs it counts otherwise without pad=1";
    if (l->type != META_CONVOLUTIONAL && convolutional_alone(l->activation))
        return "its activation";
    if (l->type == META_SHORTCUT && has_factors(l)) return "alpha and beta";
    if (l->type == META_SHORTCUT && samples(net, l)) return "a map of another size";
    if (swept_wrongly(l)) return "padding with stride=1, where built with AVX=1";
    if (i == net->count - 1) {
        int maps = 0; /* it divides by their number */
        for (int k = 0; k < net->count; k++)
            maps += net->layers[k].in.w > 1 && net->layers[k].in.h > 1
                && net->layers[k].type != META_CONNECTED && net->layers[k].type != META_DROPOUT;
        if (!maps) return "no map of more than a row or a column";
    }
    return darknets(net, i);
}

static const char *alexeyab(const struct meta_network *net, int i, const struct meta_opencv_view *v)
{
    const struct meta_layer *l = &net->layers[i];
    if (l->activation == META_RELU6) return "relu6, which is 0 on its CPU";
    if (l->type == META_REORG && (l->flatten || l->extra)) return "flatten and extra";
    return newer(net, i, v);
}

static const char *hank_ai(const struct meta_network *net, int i, const struct meta_opencv_view *v)
{
    const struct meta_layer *l = &net->layers[i];
    if (swept_wrongly(l)) return "padding with stride=1";
    return l->type == META_ACTIVATION || l->type == META_CROP || l->type == META_REORG
            || l->type == META_LOCAL
        ? "not known"
        : newer(net, i, v);
}

const char *meta_readers_stock(const struct meta_network *net, int *layer)
{
    const char *why = NULL;
    for (int i = 0; i < net->count && !why; i++)
        if ((why = stock(net, i, NULL))) *layer = i;
    return why;
}

static const struct reader readers[] = { { "stock Darknet", stock },
                                         { "OpenCV", opencv },
                                         { "AlexeyAB's Darknet", alexeyab },
                                         { "hank-ai's Darknet", hank_ai } };
enum { READERS = sizeof readers / sizeof *readers };

static int print(const struct meta_network *net, const char *const *why, const int *where,
                 char **line, struct meta_error *error)
{
    struct meta_text text;
    int named = 0;
    if (meta_text_begin(&text, error)) return -1;
    for (int k = 0; k < READERS; k++)
        if (why[k])
            fprintf(text.file, "%s%s (layer %d, [%s]: %s)", named++ ? ", " : "read otherwise by ",
                    readers[k].name, where[k], meta_layer_name(&net->layers[where[k]]), why[k]);
    return meta_text_end(&text, 0, line, error);
}

int meta_readers_differ(const struct meta_network *net, char **line, struct meta_error *error)
{
    const char *why[READERS] = { NULL };
    int where[READERS], any = 0;
    struct meta_opencv_view view;
    *line = NULL;
    if (meta_opencv_view_begin(&view, net->input, net->count, error)) return -1;
    for (int i = 0; i < net->count; i++) {
        for (int k = 0; k < READERS; k++) {
            if (why[k] || !(why[k] = readers[k].why(net, i, &view))) continue;
            where[k] = i;
            any = 1;
        }
        meta_opencv_view_add(&view, &net->layers[i]);
    }
    meta_opencv_view_clear(&view);
    return any ? print(net, why, where, line, error) : 0;
}
