/* Lets plugins write their layers as sections of Darknet's own, and puts these into the network. */
#define _GNU_SOURCE
#include "stock_form.h"
#include "base/plugin_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/weights.h"
#include "options.h"
#include "sections.h"

/* Options of a section. */
enum { MOST_PAIRS = 16 };
/* A flat layer of more numbers gets a convolution a channel in place of a matrix. */
enum { MOST_FLAT = 2048 };

struct form {
    const struct meta_filled *from;
    struct meta_filled *to;
    const char *path;
    const struct meta_layer *layer; /* the one that is being written */
    int *place;                     /* (layers of from) where each is in `to` */
    int failed;
};

/* Splits "size=1 filters=8" at blanks and signs of equality, in place. Returns -1 where it is
   none. */
static int split(char *options, struct meta_section *s)
{
    char *save, *word = strtok_r(options, " ", &save);
    for (; word; word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');
        if (!equals || s->count == MOST_PAIRS) return -1;
        *equals = 0;
        s->pairs[s->count++] = (struct meta_pair){ word, equals + 1, s->line };
    }
    return 0;
}

/* The layer that a section describes. */
static int read_layer(const struct form *f, const struct meta_section *s, struct meta_layer *layer,
                      struct meta_error *error)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    if (!type || !type->options || !type->layer)
        return meta_fail(error, "%s:%d: [%s]: writes [%.40s]: must be a layer of Darknet's own",
                         f->path, f->layer->line, meta_layer_name(f->layer), s->name);
    void *settings = calloc(1, type->settings_size);
    if (!settings) return meta_fail_memory(error);
    int status = meta_options_parse(type->options, s, f->path, settings, error);
    if (!status && type->layer(settings, f->to->network->count, layer, error))
        status = meta_section_blame(s, f->path, error);
    meta_options_clear(type->options, settings);
    free(settings);
    layer->line = s->line;
    return status;
}

static int add_section(struct form *f, const struct meta_section *s, const float *numbers,
                       size_t count, struct meta_error *error)
{
    struct meta_layer layer = { 0 };
    if (read_layer(f, s, &layer, error)) return -1;
    if (meta_filled_add(f->to, layer, error)) return meta_section_blame(s, f->path, error);
    int last = f->to->network->count - 1;
    size_t wanted = meta_weights_layer(f->to->network, last, NULL, NULL, NULL);
    if (count != wanted)
        return meta_fail(error, "%s:%d: [%s]: writes [%s] with %zu numbers: must be %zu", f->path,
                         s->line, meta_layer_name(f->layer), s->name, count, wanted);
    meta_weights_layer(f->to->network, last, numbers, f->to->parameters, f->to->statistics);
    return 0;
}

/* ---- what a plugin calls --------------------------------------------------------------------- */

static int section(struct meta_writer *w, const char *type, const char *options,
                   const float *numbers, size_t count, struct meta_error *error)
{
    struct form *f = w->host;
    struct meta_pair pairs[MOST_PAIRS];
    char *text = strdup(options), *name = strdup(type);
    struct meta_section s = { .name = name, .line = f->layer->line, .pairs = pairs };
    int status;
    if (!text || !name) status = meta_fail_memory(error);
    else if (split(text, &s))
        status = meta_fail(error,
                           "%s:%d: [%s]: writes [%.40s] with \"%.80s\": must be options "
                           "with blanks between them",
                           f->path, s.line, meta_layer_name(f->layer), type, options);
    else status = add_section(f, &s, numbers, count, error);
    free(text);
    free(name);
    if (status) f->failed = 1;
    else w->at = f->to->network->layers[f->to->network->count - 1].out;
    return status;
}

static int affine(struct meta_writer *w, const double *scales, const double *shifts,
                  const char *activation, struct meta_error *error)
{
    size_t c = w->at.c, flat = w->at.h * w->at.w == 1 && c <= MOST_FLAT,
           count = c + (flat ? c * c : c);
    char options[200];
    float *numbers = calloc(count, sizeof *numbers);
    if (!numbers) {
        ((struct form *)w->host)->failed = 1;
        return meta_fail_memory(error);
    }
    for (size_t k = 0; k < c; k++) {
        numbers[k] = shifts ? shifts[k] : 0;
        numbers[c + (flat ? k * c + k : k)] = scales[k];
    }
    if (flat) snprintf(options, sizeof options, "output=%zu activation=%.40s", c, activation);
    else
        snprintf(options, sizeof options, "filters=%zu groups=%zu size=1 activation=%.40s", c, c,
                 activation);
    int status = section(w, flat ? "connected" : "convolutional", options, numbers, count, error);
    free(numbers);
    return status;
}

/* ---- the network ----------------------------------------------------------------------------- */

static int blame(const struct form *f, struct meta_error *error)
{
    struct meta_error why = *error;
    return meta_fail(error, "%s:%d: [%s]: %s", f->path, f->layer->line, meta_layer_name(f->layer),
                     why.text);
}

/* Writes a layer that gives the network's input as it is, for the sections of a first layer: those
   of Darknet that read an earlier layer can't read the input. */
static int write_input(struct meta_writer *w, struct meta_error *error)
{
    for (int k = 0; k < w->at.c; k++) w->scratch[k] = 1;
    return w->affine(w, w->scratch, NULL, "linear", error);
}

static int call(struct form *f, double *theta, struct meta_error *error)
{
    const struct meta_layer *l = f->layer;
    struct meta_writer w = { f, l->in, theta + l->weight_count, section, affine };
    if (!f->to->network->count && write_input(&w, error)) return -1;
    int before = f->to->network->count;
    error->text[0] = 0;
    if (l->plugin->layer->stock(l->settings, l->in, theta, &w, error)) {
        if (f->failed) return -1;
        meta_plugin_refuses(error, "the plugin refuses to be exported and does not say why");
        return blame(f, error);
    }
    if (f->failed) return -1;
    if (f->to->network->count == before || w.at.c != l->out.c || w.at.h != l->out.h
        || w.at.w != l->out.w) {
        meta_fail(error, "its sections give %dx%dx%d: must be %dx%dx%d, by at least one section",
                  w.at.w, w.at.h, w.at.c, l->out.w, l->out.h, l->out.c);
        return blame(f, error);
    }
    return 0;
}

static int write_plugin(struct form *f, struct meta_error *error)
{
    const struct meta_layer *l = f->layer;
    if (!l->plugin->layer->stock) {
        meta_fail(error, "has no form in Darknet's own sections: can't be exported");
        return blame(f, error);
    }
    double *theta = calloc(l->weight_count + 2 * (size_t)l->in.c, sizeof *theta);
    if (!theta) return meta_fail_memory(error);
    for (size_t i = 0; i < l->weight_count; i++) theta[i] = f->from->parameters[l->weights + i];
    int status = call(f, theta, error);
    free(theta);
    return status;
}

static int write_all(struct form *f, struct meta_error *error)
{
    const struct meta_network *net = f->from->network;
    if (meta_network_create(&f->to->network, net->input, error)) return -1;
    for (int i = 0; i < net->count; i++) {
        f->layer = &net->layers[i];
        if (f->layer->type == META_PLUGIN
                ? write_plugin(f, error)
                : meta_filled_copy_layer(f->to, f->from, i, 0, f->place, error))
            return -1;
        f->place[i] = f->to->network->count - 1;
    }
    return 0;
}

int meta_stock_form(struct meta_filled *to, const struct meta_filled *from, const char *path,
                    struct meta_error *error)
{
    const struct meta_network *net = from->network;
    int plugins = 0;
    *to = (struct meta_filled){ 0 };
    for (int i = 0; i < net->count; i++) plugins += net->layers[i].type == META_PLUGIN;
    if (!plugins) return 0;
    struct form f = { .from = from, .to = to, .path = path };
    if (!(f.place = calloc(net->count, sizeof *f.place))) return meta_fail_memory(error);
    int status = write_all(&f, error);
    free(f.place);
    if (status) meta_filled_clear(to);
    return status;
}
