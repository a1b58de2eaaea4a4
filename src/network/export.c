/* Writes a network as a .cfg and .weights that stock Darknet and OpenCV read alike. */
#define _GNU_SOURCE
#include "export.h"
#include "base/c_locale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "weights.h"

/* ---- numbers --------------------------------------------------------------------------------- */

#define EPSILON 1e-6
#define SMALL .1    /* for a larger variance the two ways to normalise differ by less than 2e-6 */
#define MEETING .25 /* the variance where they agree: sqrt(v + e) = sqrt(v) + e */

static void lift_variances(struct meta_filled *f)
{
    const struct meta_layer *l = &f->network->layers[f->network->count - 1];
    for (int o = 0; l->scales != META_NONE && o < l->filters; o++) {
        float *variance = &f->statistics[l->variance + o];
        if (*variance >= SMALL) continue;
        f->parameters[l->scales + o] *= (sqrt(MEETING) + EPSILON) / (sqrt(*variance) + EPSILON);
        *variance = MEETING;
    }
}

static int make_portable(struct meta_filled *out, const struct meta_filled *from,
                         struct meta_error *error)
{
    const struct meta_network *net = from->network;
    int *place = calloc(net->count, sizeof *place);
    *out = (struct meta_filled){ 0 };
    if (!place) return meta_fail_memory(error);
    if (meta_network_create(&out->network, net->input, error)) goto fail;
    for (int i = 0; i < net->count; i++) {
        place[i] = i;
        if (net->layers[i].plugin) {
            meta_fail(error, "[%s] is a plugin's section, not Darknet's own: can't be exported",
                      meta_layer_name(&net->layers[i]));
            goto fail;
        }
        if (meta_filled_copy_layer(out, from, i, 0, place, error)) goto fail;
        if (net->layers[i].type == META_CONNECTED && meta_filled_fold_last(out, error)) goto fail;
        lift_variances(out);
    }
    free(place);
    return 0;
fail:
    free(place);
    meta_filled_clear(out);
    return -1;
}

/* ---- text ------------------------------------------------------------------------------------ */

static const char *activation(const struct meta_layer *l)
{
    return meta_activation_name(l->activation);
}

static void print_layer(FILE *f, const struct meta_layer *l)
{
    fprintf(f, "\n[%s]\n", meta_layer_name(l));
    if (l->batch_normalize) fprintf(f, "batch_normalize=1\n");
    switch (l->type) {
    case META_CONVOLUTIONAL:
        fprintf(f, "filters=%d\nsize=%d\nstride=%d\npadding=%d\nactivation=%s\n", l->filters,
                l->size, l->stride, l->padding, activation(l));
        break;
    case META_CONNECTED: fprintf(f, "output=%d\nactivation=%s\n", l->filters, activation(l)); break;
    case META_MAXPOOL:
        fprintf(f, "size=%d\nstride=%d\npadding=%d\n", l->size, l->stride, l->padding);
        break;
    case META_SHORTCUT:
        fprintf(f, "from=%d\nactivation=%s\n", l->from[0], activation(l));
        if (l->alpha != 1) fprintf(f, "alpha=%.9g\n", l->alpha);
        if (l->beta != 1) fprintf(f, "beta=%.9g\n", l->beta);
        break;
    case META_ROUTE:
        for (int k = 0; k < l->from_count; k++) fprintf(f, "%s%d", k ? "," : "layers=", l->from[k]);
        fprintf(f, "\n");
        break;
    case META_DROPOUT: fprintf(f, "probability=%.9g\n", l->probability); break;
    case META_ACTIVATION: fprintf(f, "activation=%s\n", activation(l)); break;
    case META_SOFTMAX:
        if (l->temperature != 1) fprintf(f, "temperature=%.9g\n", l->temperature);
        break;
    default: break;
    }
}

static int write_cfg(const struct meta_network *net, const char *path, const char *comment,
                     struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    FILE *f = text.file;
    for (const char *line = comment; line && *line;
         line += strcspn(line, "\n"), line += *line == '\n')
        fprintf(f, "# %.*s\n", (int)strcspn(line, "\n"), line);
    fprintf(f, "[net]\nbatch=1\nsubdivisions=1\nwidth=%d\nheight=%d\nchannels=%d\n", net->input.w,
            net->input.h, net->input.c);
    locale_t before = meta_c_locale_begin();
    for (int i = 0; i < net->count; i++) print_layer(f, &net->layers[i]);
    meta_c_locale_end(before);
    return meta_text_write(&text, 0, path, error);
}

int meta_export(const struct meta_filled *from, const char *name, const char *comment,
                struct meta_error *error)
{
    struct meta_filled portable;
    size_t room = strlen(name) + sizeof ".weights";
    char path[room];
    if (make_portable(&portable, from, error)) return -1;
    snprintf(path, room, "%s.weights", name);
    int status = meta_weights_write(portable.network, path, portable.parameters,
                                    portable.statistics, 0, error);
    snprintf(path, room, "%s.cfg", name);
    if (!status) status = write_cfg(portable.network, path, comment, error);
    meta_filled_clear(&portable);
    return status;
}
