#include "model.h"

#include <stdlib.h>
#include <string.h>
#include "plugins.h"
#include "sections.h"

/* The settings of one plugin section, kept for meta_model_free. */
struct kept { const struct meta_plugin *plugin; void *settings; struct kept *next; };

static void keep_free(struct kept *kept)
{
    while (kept) {
        struct kept *next = kept->next;
        meta_options_clear(kept->plugin->options, kept->settings);
        free(kept->settings);
        free(kept);
        kept = next;
    }
}

void meta_model_free(struct meta_model *m)
{
    if (!m) return;
    if (m->network)
        for (int i = 0; i < m->network->count; i++) {
            const struct meta_layer *l = &m->network->layers[i];
            if (l->type == META_PLUGIN) meta_options_clear(l->plugin->options, l->settings);
        }
    meta_network_free(m->network);
    meta_net_clear(&m->net);
    keep_free(m->owned);
    free(m->path);
    free(m->name);
    free(m);
}

/* "daml-4conv" of "cfg/daml-4conv.cfg": Darknet's basecfg */
static char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path, *dot = strrchr(from, '.');
    return strndup(from, dot && dot > from ? (size_t)(dot - from) : strlen(from));
}

/* Parses a section's options (an absent section: its defaults) into new settings of its plugin. */
static void *parse_settings(const struct meta_plugin *plugin, const struct meta_section *section, const char *path,
                            struct meta_error *error)
{
    struct meta_section none = { (char *)plugin->name, 0, 0, NULL };
    struct meta_error why;
    void *settings = calloc(1, plugin->settings_size + 1);
    if (!settings) {
        meta_fail(error, "out of memory");
        return NULL;
    }
    if (meta_options_parse(plugin->options, section ? section : &none, path, settings, error)) goto fail;
    if (plugin->check && plugin->check(settings, &why)) {
        meta_fail(error, "%s:%d: [%s] %s", path, section ? section->line : 1, plugin->name, why.text);
        goto fail;
    }
    return settings;
fail:
    meta_options_clear(plugin->options, settings);
    free(settings);
    return NULL;
}

static void *keep_settings(struct meta_model *m, const struct meta_plugin *plugin, const struct meta_section *section,
                           struct meta_error *error)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (!kept) {
        meta_fail(error, "out of memory");
        return NULL;
    }
    kept->plugin = plugin;
    kept->settings = parse_settings(plugin, section, m->path, error);
    if (!kept->settings) {
        free(kept);
        return NULL;
    }
    kept->next = m->owned;
    m->owned = kept;
    return kept->settings;
}

static int add_plugin_layer(struct meta_model *m, const struct meta_plugin *plugin, const struct meta_section *section,
                            struct meta_error *error)
{
    struct meta_error why;
    struct meta_layer layer = { .type = META_PLUGIN, .line = section->line, .plugin = plugin };
    layer.settings = parse_settings(plugin, section, m->path, error);
    if (!layer.settings) return -1;
    if (meta_network_add(m->network, layer, &why))
        return meta_fail(error, "%s:%d: [%s] %s", m->path, section->line, section->name, why.text);
    return 0;
}

/* Where each role may stand: [net], [episode], layers, [inner_loop], [meta_loss]. */
static int rank_of(enum meta_role role)
{
    switch (role) {
    case META_ROLE_EPISODE:    return 1;
    case META_ROLE_LAYER:      return 2;
    case META_ROLE_INNER_LOOP: return 3;
    case META_ROLE_META_LOSS:  return 4;
    }
    return 2;
}

static int misplaced(const struct meta_model *m, const struct meta_section *section, const struct meta_section *before,
                     struct meta_error *error)
{
    return meta_fail(error, "%s:%d: [%s] can't follow [%s] of line %d: the order is [net], [episode], the layers, [inner_loop], "
                     "[meta_loss]", m->path, section->line, section->name, before->name, before->line);
}

static int unknown_section(const struct meta_model *m, const struct meta_section *section, struct meta_error *error)
{
    char known[360];
    size_t used = snprintf(known, sizeof known, "net %s", meta_sections_layers());
    for (int i = 0; i < meta_plugins_count() && used < sizeof known; i++)
        used += snprintf(known + used, sizeof known - used, " %s", meta_plugins_at(i)->name);
    return meta_fail(error, "%s:%d: [%.40s]: unknown section; known: %s", m->path, section->line, section->name, known);
}

static int add_section(struct meta_model *m, const struct meta_section *section, struct meta_error *error)
{
    const struct meta_plugin *plugin = meta_plugins_find(section->name);
    if (!plugin) return meta_sections_add(m->network, section, m->path, error);
    if (plugin->role == META_ROLE_LAYER) return add_plugin_layer(m, plugin, section, error);
    void *settings = keep_settings(m, plugin, section, error);
    if (!settings) return -1;
    if (plugin->role == META_ROLE_EPISODE) m->episode = settings;
    if (plugin->role == META_ROLE_INNER_LOOP) m->inner = settings;
    if (plugin->role == META_ROLE_META_LOSS) {
        m->loss = plugin;
        m->loss_settings = settings;
    }
    return 0;
}

static int add_sections(struct meta_model *m, const struct meta_cfg *cfg, struct meta_error *error)
{
    const struct meta_section *before = &cfg->sections[0];
    int rank = 0;
    for (int i = 1; i < cfg->count; i++) {
        const struct meta_section *section = &cfg->sections[i];
        const struct meta_plugin *plugin = meta_plugins_find(section->name);
        if (!plugin && !meta_sections_is_stock(section->name)) return unknown_section(m, section, error);
        if (!strcmp(section->name, "net") || !strcmp(section->name, "network")) return misplaced(m, section, before, error);
        int here = plugin ? rank_of(plugin->role) : 2;
        if (here < rank || (here == rank && here != 2)) return misplaced(m, section, before, error);
        rank = here;
        before = section;
        if (add_section(m, section, error)) return -1;
    }
    return 0;
}

/* An absent [episode] or [inner_loop] has its plugin's defaults; without [meta_loss] the meta-loss is the plain mean. */
static int add_defaults(struct meta_model *m, struct meta_error *error)
{
    for (int i = 0; i < meta_plugins_count(); i++) {
        const struct meta_plugin *plugin = meta_plugins_at(i);
        if (plugin->role == META_ROLE_EPISODE && !m->episode && !(m->episode = keep_settings(m, plugin, NULL, error))) return -1;
        if (plugin->role == META_ROLE_INNER_LOOP && !m->inner && !(m->inner = keep_settings(m, plugin, NULL, error))) return -1;
    }
    if (m->episode && m->inner) return 0;
    return meta_fail(error, "the plugins of [episode] and [inner_loop] were not found: plugins/ must lie beside the program, or "
                     "DARKNET_PLUGIN_PATH name their folder");
}

static int finish(struct meta_model *m, const struct meta_cfg *cfg, struct meta_error *error)
{
    struct meta_error why;
    int where, outputs;
    if (meta_network_finish(m->network, m->inner->order, &where, &why)) {
        const struct meta_layer *l = m->network->count ? &m->network->layers[where] : NULL;
        return meta_fail(error, "%s:%d: [%s] %s", m->path, l ? l->line : cfg->sections[0].line,
                         l ? meta_layer_name(l) : cfg->sections[0].name, why.text);
    }
    outputs = meta_network_outputs(m->network);
    if (outputs != m->episode->ways)
        return meta_fail(error, "%s:%d: [softmax] has %d outputs, [episode] has ways=%d: must be the same number", m->path,
                         m->network->layers[m->network->count - 1].line, outputs, m->episode->ways);
    return 0;
}

int meta_model_load(struct meta_model **out, const char *cfg_path, struct meta_error *error)
{
    struct meta_cfg *cfg = NULL;
    struct meta_model *m = calloc(1, sizeof *m);
    if (!m || !(m->path = strdup(cfg_path)) || !(m->name = base_name(cfg_path))) {
        meta_fail(error, "out of memory");
        goto fail;
    }
    if (meta_plugins_load(error) || meta_cfg_read(&cfg, cfg_path, error)) goto fail;
    const struct meta_section *net = &cfg->sections[0];
    if (strcmp(net->name, "net") && strcmp(net->name, "network")) {
        meta_fail(error, "%s:%d: [%.40s]: the first section must be [net]", cfg_path, net->line, net->name);
        goto fail;
    }
    if (meta_net_parse(&m->net, net, cfg_path, error)) goto fail;
    if (meta_network_create(&m->network, (struct meta_shape){ m->net.channels, m->net.height, m->net.width }, error)) goto fail;
    if (add_sections(m, cfg, error) || add_defaults(m, error) || finish(m, cfg, error)) goto fail;
    meta_cfg_free(cfg);
    *out = m;
    return 0;
fail:
    meta_cfg_free(cfg);
    meta_model_free(m);
    return -1;
}
