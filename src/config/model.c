/* Reads a .cfg into a model: its sections in order, layer by layer, with the settings of
   plugins. */
#define _GNU_SOURCE
#include "model.h"
#include "base/path.h"
#include "base/plugin_call.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "plugins.h"
#include "purpose.h"
#include "sections.h"
#include "training_keys.h"

/* A plugin's settings with the texts and lists that parsing allocated. A layer has a flat copy of
   the settings. */
struct kept {
    const struct meta_plugin *plugin;
    void *settings;
};

/* meta_model.owned: what meta_model_free frees. */
struct owned {
    int count;
    struct kept *kept;
};

/* The state of reading. Sections come in the order of `stage`; `at` has the last section read of
   each stage, NULL: none yet. */
enum stage { NET, EPISODE, LAYERS, INNER_LOOP, META_LOSS, STAGES };
struct builder {
    struct meta_model *model;
    const struct meta_plugins *plugins;
    const char *path;
    const struct meta_section *at[STAGES];
    const struct meta_section *cost; /* the [cost] behind a softmax; NULL: there is none */
    struct meta_error *error;
};

static int fail_memory(struct builder *b) { return meta_fail_memory_for(b->error, b->path); }

static int prefix(struct builder *b, const struct meta_section *s)
{
    return meta_section_blame(s, b->path, b->error);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* Parses a plugin's section into settings that the model keeps. */
static void *read_settings(struct builder *b, const struct meta_plugin *plugin,
                           const struct meta_section *section)
{
    struct owned *owned = b->model->owned;
    void *settings = calloc(1, plugin->settings_size ? plugin->settings_size : 1);
    struct kept *grown = realloc(owned->kept, (owned->count + 1) * sizeof *grown);
    if (grown) owned->kept = grown;
    if (!settings || !grown) {
        free(settings);
        fail_memory(b);
        return NULL;
    }
    owned->kept[owned->count++] = (struct kept){ plugin, settings };
    if (meta_options_parse(plugin->options, section, b->path, settings, b->error)) return NULL;
    if (meta_plugin_check(plugin, settings, b->error)) {
        prefix(b, section);
        return NULL;
    }
    return settings;
}

static void set_role(struct meta_model *model, const struct meta_plugin *plugin, void *settings)
{
    switch (plugin->role) {
    case META_ROLE_EPISODE: model->episode = settings; break;
    case META_ROLE_INNER_LOOP:
        model->inner = settings;
        model->inner->plugin = plugin;
        model->inner->settings = settings;
        break;
    case META_ROLE_META_LOSS:
        model->loss = plugin;
        model->loss_settings = settings;
        break;
    case META_ROLE_LAYER:
    case META_ROLE_PAIRING: break;
    }
}

/* Reads an absent section as one without options; an absent [meta_loss] is type=mean, the loss of
   MAML. */
static int read_absent(struct builder *b, const char *name, struct meta_pair *pair)
{
    struct meta_section section = { .name = (char *)name, .count = pair != NULL, .pairs = pair };
    const struct meta_plugin *plugin = meta_plugins_find(b->plugins, name);
    if (!plugin)
        return meta_fail(b->error, "%s: has no [%s], and its plugin is not there: looked in %s",
                         b->path, name, b->plugins->folders ? b->plugins->folders : "no folder");
    void *settings = read_settings(b, plugin, &section);
    if (!settings) return -1;
    set_role(b->model, plugin, settings);
    return 0;
}

/* ---- where a section may stand --------------------------------------------------------------- */

static int check_place(struct builder *b, const struct meta_section *s, enum stage stage)
{
    static const char *order[STAGES] = { "first", "right after [net]",
                                         "between [net] and [inner_loop]", "after the last layer",
                                         "last" };
    const char *name = s->name;
    if (stage != LAYERS && b->at[stage])
        return meta_fail(b->error, "%s:%d: [%s]: a second section of this kind; first on line %d",
                         b->path, s->line, name, b->at[stage]->line);
    if (stage != NET && !b->at[NET])
        return meta_fail(b->error, "%s:%d: [%s]: the first section must be [net]", b->path, s->line,
                         name);
    for (int later = stage + 1; later < STAGES; later++)
        if (b->at[later])
            return meta_fail(b->error, "%s:%d: [%s]: stands after [%s] of line %d: must be %s",
                             b->path, s->line, name, b->at[later]->name, b->at[later]->line,
                             order[stage]);
    if (stage > LAYERS && !b->at[LAYERS])
        return meta_fail(b->error, "%s:%d: [%s]: stands before any layer: must be %s", b->path,
                         s->line, name, order[stage]);
    b->at[stage] = s;
    if (stage == NET) b->model->net_line = s->line;
    if (stage == EPISODE) b->model->episode_line = s->line;
    if (stage == INNER_LOOP) b->model->inner_line = s->line;
    if (stage == META_LOSS) b->model->loss_line = s->line;
    return 0;
}

/* Lists the sections that a .cfg may have, or with `layers` only those that are layers. */
static void list_known(const struct builder *b, int layers, struct meta_error *text)
{
    size_t used = 0;
    text->text[0] = 0;
    for (const struct meta_section_type *t = meta_section_types;
         t->name && used < sizeof text->text; t++)
        if (t->options || (!t->parser && !layers))
            used += snprintf(text->text + used, sizeof text->text - used, " %s", t->name);
    for (int i = 0; i < b->plugins->count && used < sizeof text->text; i++) {
        const struct meta_plugin *p = b->plugins->entries[i].plugin;
        if (p->role == META_ROLE_LAYER || p->role == META_ROLE_PAIRING || !layers)
            used += snprintf(text->text + used, sizeof text->text - used, " %s", p->name);
    }
}

/* ---- sections -------------------------------------------------------------------------------- */

static int read_net(struct builder *b, const struct meta_section *s)
{
    struct meta_net_settings *net = &b->model->net;
    if (check_place(b, s, NET) || meta_net_read(s, b->path, net, b->error)) return -1;
    struct meta_shape input = { net->channels, net->height, net->width };
    return meta_network_create(&b->model->network, input, b->error) ? prefix(b, s) : 0;
}

static int add_layer(struct builder *b, const struct meta_section *s, struct meta_layer layer)
{
    layer.line = s->line;
    return meta_network_add(b->model->network, layer, b->error) ? prefix(b, s) : 0;
}

/* Whether this is the [cost] that many of Darknet's .cfg files end with, behind their [softmax]. It
   is no layer here, as it has no part in the outputs. Its squared error, which Darknet passes
   through the softmax as it is, has the gradient of the softmax's own cross-entropy, to which it is
   added. */
static int is_cost_of_softmax(const struct builder *b, const struct meta_layer *layer)
{
    const struct meta_network *net = b->model->network;
    return layer->type == META_COST && !b->cost && net->count
        && net->layers[net->count - 1].type == META_SOFTMAX;
}

static int read_stock_layer(struct builder *b, const struct meta_section *s,
                            const struct meta_section_type *type)
{
    struct meta_layer layer = { 0 };
    if (check_place(b, s, LAYERS)) return -1;
    void *settings = calloc(1, type->settings_size);
    if (!settings) return fail_memory(b);
    int status = meta_options_parse(type->options, s, b->path, settings, b->error);
    if (!status && type->layer(settings, b->model->network->count, &layer, b->error))
        status = prefix(b, s);
    meta_options_clear(type->options, settings);
    free(settings);
    if (status) return -1;
    if (layer.flip && !b->model->net.flip) {
        meta_fail(b->error, "flip=1: [net] has flip=0: must be alike");
        return prefix(b, s);
    }
    if (!is_cost_of_softmax(b, &layer)) return add_layer(b, s, layer);
    b->cost = s;
    b->model->cost_line = s->line;
    return 0;
}

static int read_plugin(struct builder *b, const struct meta_section *s,
                       const struct meta_plugin *plugin)
{
    static const enum stage stages[] = { [META_ROLE_LAYER] = LAYERS,
                                         [META_ROLE_PAIRING] = LAYERS,
                                         [META_ROLE_EPISODE] = EPISODE,
                                         [META_ROLE_INNER_LOOP] = INNER_LOOP,
                                         [META_ROLE_META_LOSS] = META_LOSS };
    if (check_place(b, s, stages[plugin->role])) return -1;
    void *settings = read_settings(b, plugin, s);
    if (!settings) return -1;
    set_role(b->model, plugin, settings);
    if (stages[plugin->role] != LAYERS) return 0;
    if (!b->model->episode && read_absent(b, "episode", NULL)) return -1;
    struct meta_layer layer = { .type = plugin->role == META_ROLE_PAIRING ? META_PAIRING
                                                                          : META_PLUGIN,
                                .plugin = plugin,
                                .settings = malloc(plugin->settings_size + 1),
                                .ways = b->model->episode->ways };
    if (!layer.settings) return fail_memory(b);
    memcpy(layer.settings, settings, plugin->settings_size);
    return add_layer(b, s, layer);
}

static int read_section(struct builder *b, struct meta_section *s)
{
    struct meta_error known;
    if (meta_training_keys_drop(s, b->path, b->model->purpose, b->error)) return -1;
    const struct meta_section_type *type = meta_section_find(s->name);
    if (type && !type->parser) return read_net(b, s);
    if (type && type->options) return read_stock_layer(b, s, type);
    if (type) {
        list_known(b, 1, &known);
        return meta_fail(b->error,
                         "%s:%d: [%s]: meta-learning can't differentiate this layer; allowed:%s",
                         b->path, s->line, s->name, known.text);
    }
    const struct meta_plugin *plugin = meta_plugins_find(b->plugins, s->name);
    if (plugin) return read_plugin(b, s, plugin);
    list_known(b, 0, &known);
    return meta_fail(b->error, "%s:%d: [%.40s]: unknown section; known:%s%s%s", b->path, s->line,
                     s->name, known.text, b->plugins->count ? "" : "; no plugins in ",
                     b->plugins->count ? "" : b->plugins->folders);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int finish(struct builder *b)
{
    struct meta_model *model = b->model;
    int where, order;
    if (!b->at[NET])
        return meta_fail(b->error, "%s: has no sections: the first must be [net]", b->path);
    if (!model->episode && read_absent(b, "episode", NULL)) return -1;
    if (!model->inner && read_absent(b, "inner_loop", NULL)) return -1;
    struct meta_pair mean = { "type", "mean", 0 };
    if (!model->loss && read_absent(b, "meta_loss", &mean)) return -1;
    order = model->purpose == META_FOR_TASKS ? model->inner->order : 1;
    if (meta_network_finish(model->network, order, &where, b->error)) {
        if (!model->network->count) return prefix(b, b->at[NET]);
        const struct meta_layer *layer = &model->network->layers[where];
        return prefix(b,
                      &(struct meta_section){ .name = (char *)meta_layer_name(layer),
                                              .line = layer->line });
    }
    if (!b->at[EPISODE] && model->purpose == META_FOR_TASKS)
        model->episode->ways = meta_network_outputs(model->network);
    struct meta_purpose_sections sections = { b->at[NET], b->at[EPISODE], b->at[INNER_LOOP],
                                              b->at[META_LOSS] };
    return meta_purpose_check(model, &sections, b->error);
}

int meta_model_load(struct meta_model **out, const char *path, struct meta_error *error)
{
    return meta_model_load_for(out, path, META_FOR_TASKS, error);
}

int meta_model_load_for(struct meta_model **out, const char *path, enum meta_purpose purpose,
                        struct meta_error *error)
{
    struct builder b = { .path = path, .error = error };
    struct meta_cfg *cfg = NULL;
    struct meta_model *model = b.model = calloc(1, sizeof *model);
    if (!model || !(model->path = strdup(path)) || !(model->name = meta_path_stem(path))
        || !(model->owned = calloc(1, sizeof(struct owned)))) {
        fail_memory(&b);
        goto fail;
    }
    model->purpose = purpose;
    if (!(b.plugins = meta_plugins_load(error))) goto fail;
    if (meta_cfg_read(&cfg, path, error)) goto fail;
    for (int i = 0; i < cfg->count; i++)
        if (read_section(&b, &cfg->sections[i])) goto fail;
    if (finish(&b)) goto fail;
    meta_cfg_free(cfg);
    *out = model;
    return 0;
fail:
    meta_cfg_free(cfg);
    meta_model_free(model);
    return -1;
}

void meta_model_free(struct meta_model *model)
{
    if (!model) return;
    struct owned *owned = model->owned;
    for (int i = 0; owned && i < owned->count; i++) {
        const struct kept *k = &owned->kept[i];
        meta_options_clear(k->plugin->options, k->settings);
        free(k->settings);
    }
    if (owned) free(owned->kept);
    free(owned);
    meta_network_free(model->network);
    free(model->net.steps.values);
    free(model->net.scales.values);
    free(model->path);
    free(model->name);
    free(model);
}
