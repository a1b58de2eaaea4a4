/* A parse_network_cfg() for libdarknet that also builds the sections of plugins. A .cfg without any
   is left to the library's own, which warns of what it does not know and goes on. */
#define _GNU_SOURCE
#include "host.h"
#include "guard.h"

#include <stdlib.h>
#include <string.h>

#include "config/cfg.h"
#include "base/file.h"
#include "base/one_line.h"
#include "base/plugin_call.h"
#include "config/options.h"
#include "config/plugins.h"
#include "config/sections.h"

struct host {
    const struct meta_library *library;
    const struct meta_plugins *plugins;
    const struct meta_cfg *cfg;
    network *net;
    struct meta_size_params at; /* the input of the next layer */
    size_t workspace;
    struct meta_error *error;
};

/* Ends the process, as Darknet does: its parser has no way to return an error. */
static _Noreturn void die(struct meta_error *error)
{
    meta_one_line(error->text);
    fflush(stdout);
    fprintf(stderr, "darknet: %s\n", error->text);
    exit(1);
}

static int prefix(const struct host *h, const struct meta_section *s)
{
    return meta_section_blame(s, h->cfg->path, h->error);
}

/* ---- whose file it is ------------------------------------------------------------------------ */

/* Whether a line starts a section of a plugin. Blanks do not count, also inside the brackets.
   Plugins are loaded when the first section that is not Darknet's is met. */
static int of_plugin(struct host *h, const char *line, size_t n)
{
    char name[64];
    size_t used = 0, i = 0;
    while (i < n && strchr(" \t\r", line[i])) i++;
    if (i == n || line[i++] != '[') return 0;
    for (; i < n && line[i] != ']' && used + 1 < sizeof name; i++)
        if (!strchr(" \t\r", line[i])) name[used++] = line[i];
    name[used] = 0;
    if (i == n || line[i] != ']' || meta_section_find(name)) return 0;
    if (!h->plugins && !(h->plugins = meta_plugins_load(h->error))) die(h->error);
    return meta_plugins_find(h->plugins, name) != NULL;
}

/* Whether the file has such a section. One that can't be read is left to the library, which has its
   own way to say so. */
static int is_ours(struct host *h, const char *path)
{
    struct meta_error error;
    char *text;
    size_t size;
    int ours = 0;
    if (meta_file_read(path, &text, &size, &error)) return 0;
    for (char *p = text, *end = text + size; p < end && !ours;) {
        size_t n = strcspn(p, "\n");
        ours = of_plugin(h, p, n);
        p += n + 1;
    }
    free(text);
    return ours;
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* Makes the library's list of a section's options. The strings stay those of the section. */
static list *make_options(const struct host *h, const struct meta_section *s)
{
    list *options = h->library->make_list();
    for (int i = 0; i < s->count; i++)
        h->library->option_insert(options, s->pairs[i].key, s->pairs[i].value);
    return options;
}

static void free_options(const struct host *h, list *options)
{
    h->library->free_list_contents(options);
    h->library->free_list(options);
}

/* Calls the library's parser of that section type, and does what the library's loop over sections
   does for some types. */
static int stock_layer(const struct host *h, const struct meta_section_type *type, list *options,
                       layer *out)
{
    void *symbol = meta_library_symbol(h->library, type->parser, h->error);
    if (!symbol) return -1;
    if (type->takes_net) {
        meta_parser_net *parse;
        memcpy(&parse, &symbol, sizeof parse);
        *out = parse(options, h->at, h->net);
    } else {
        meta_parser *parse;
        memcpy(&parse, &symbol, sizeof parse);
        *out = parse(options, h->at);
    }
    if (out->type == SOFTMAX) h->net->hierarchy = out->softmax_tree;
    if (out->type == DROPOUT) { /* Dropout works in place, on the layer below. */
        out->output = h->net->layers[h->at.index - 1].output;
        out->delta = h->net->layers[h->at.index - 1].delta;
    }
    return 0;
}

/* Takes options that the plugin does not have out of its section, with a warning: so the library
   does it in its own sections. */
static void drop_unknown(const struct host *h, const struct meta_plugin *plugin,
                         struct meta_section *s)
{
    int kept = 0;
    for (int i = 0; i < s->count; i++) {
        const struct meta_option *o = plugin->options;
        while (o->name && strcmp(o->name, s->pairs[i].key)) o++;
        if (o->name) {
            s->pairs[kept++] = s->pairs[i];
            continue;
        }
        fprintf(stderr, "darknet: %s:%d: [%.40s] %.40s: unknown option: left out\n", h->cfg->path,
                s->pairs[i].line, s->name, s->pairs[i].key);
        free(s->pairs[i].key);
        free(s->pairs[i].value);
    }
    s->count = kept;
}

/* Makes a plugin's layer; with out=NULL it only checks the section's options. */
static int plugin_layer(const struct host *h, const struct meta_plugin *plugin,
                        const struct meta_section *s, layer *out)
{
    void *settings = calloc(1, plugin->settings_size + 1);
    if (!settings) return meta_fail_memory(h->error);
    int status = meta_options_parse(plugin->options, s, h->cfg->path, settings, h->error);
    if (!status && meta_plugin_check(plugin, settings, h->error)) status = prefix(h, s);
    if (!status && out && meta_host_layer(out, plugin, settings, h->at, h->error))
        status = prefix(h, s);
    meta_options_clear(plugin->options, settings);
    free(settings);
    return status;
}

/* Reads the options that the library reads in every section. */
static void set_common(const struct host *h, list *options, layer *l)
{
    const struct meta_library *b = h->library;
    l->clip = h->net->clip;
    l->truth = b->option_find_int_quiet(options, "truth", 0);
    l->onlyforward = b->option_find_int_quiet(options, "onlyforward", 0);
    l->stopbackward = b->option_find_int_quiet(options, "stopbackward", 0);
    l->dontsave = b->option_find_int_quiet(options, "dontsave", 0);
    l->dontload = b->option_find_int_quiet(options, "dontload", 0);
    l->numload = b->option_find_int_quiet(options, "numload", 0);
    l->dontloadscales = b->option_find_int_quiet(options, "dontloadscales", 0);
    l->learning_rate_scale = b->option_find_float_quiet(options, "learning_rate", 1);
    l->smooth = b->option_find_float_quiet(options, "smooth", 0);
}

static int add_layer(struct host *h, const struct meta_section *s)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    layer l;
    memset(&l, 0, sizeof l);
    if (type && meta_guard_shape(s, h->cfg->path, &h->at, h->error)) return -1;
    if (type) {
        fprintf(stderr, "%5d ", h->at.index);
        list *options = make_options(h, s);
        if (stock_layer(h, type, options, &l)) return prefix(h, s);
        set_common(h, options, &l);
        h->library->option_unused(options);
        free_options(h, options);
    } else {
        if (plugin_layer(h, meta_plugins_find(h->plugins, s->name), s, &l)) return -1;
        l.clip = h->net->clip;
        l.learning_rate_scale = 1;
    }
    h->net->layers[h->at.index++] = l;
    size_t workspace = l.workspace_size;
    if (l.type == LOCAL) workspace *= sizeof(float); /* which [local] leaves out */
    if (workspace > h->workspace) h->workspace = workspace;
    h->at.h = l.out_h;
    h->at.w = l.out_w;
    h->at.c = l.out_c;
    h->at.inputs = l.outputs;
    return 0;
}

/* ---- the network ----------------------------------------------------------------------------- */

static int is_layer_section(const struct host *h, const struct meta_section *s)
{
    const struct meta_plugin *plugin = meta_plugins_find(h->plugins, s->name);
    return plugin ? plugin->role == META_ROLE_LAYER : meta_section_find(s->name) != NULL;
}

/* An unknown section between layers may be a layer, misspelt or of a plugin that is not there: an
   error. Elsewhere it is left out with a warning, where the library would warn too. Returns 0 or
   -1. */
static int pass_unknown(const struct host *h, const struct meta_section *s)
{
    struct meta_error names = { "" };
    size_t used = 0;
    int at = s - h->cfg->sections, before = 0, after = 0;
    for (int i = 1; i < h->cfg->count; i++)
        if (is_layer_section(h, &h->cfg->sections[i])) *(i < at ? &before : &after) = 1;
    if (!before || !after) {
        fprintf(stderr, "darknet: %s:%d: [%.40s]: unknown section: left out\n", h->cfg->path,
                s->line, s->name);
        return 0;
    }
    for (int i = 0; i < h->plugins->count && used < sizeof names.text; i++)
        used += snprintf(names.text + used, sizeof names.text - used, " %s",
                         h->plugins->entries[i].plugin->name);
    meta_fail(h->error, "unknown section; known: Darknet's own and%s (plugins in %s)",
              used ? names.text : " none", h->plugins->folders ? h->plugins->folders : "no folder");
    return prefix(h, s);
}

/* Returns 1 for a layer, which is number `index`, 0 for what is none, and -1 with the message for a
   section that may not stand there, or is not as it should be. This is before anything is built. */
static int check_section(const struct host *h, struct meta_section *s, int index)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    if (type && !type->parser) {
        meta_fail(h->error, "must be the first section, and the only one of its kind");
        return prefix(h, s);
    }
    if (type && meta_guard_options(s, h->cfg->path, index, h->error)) return -1;
    if (type) return meta_library_symbol(h->library, type->parser, h->error) ? 1 : prefix(h, s);
    const struct meta_plugin *plugin = meta_plugins_find(h->plugins, s->name);
    if (!plugin) return pass_unknown(h, s);
    if (plugin->role == META_ROLE_PAIRING) {
        meta_fail(h->error,
                  "works on the images of a whole task, which the library knows nothing of: only "
                  "darknet meta can run it");
        return prefix(h, s);
    }
    drop_unknown(h, plugin, s);
    return plugin_layer(h, plugin, s, NULL) ? -1 : plugin->role == META_ROLE_LAYER;
}

static int count_layers(const struct host *h)
{
    int layers = 0;
    const struct meta_section_type *first = h->cfg->count
        ? meta_section_find(h->cfg->sections[0].name)
        : NULL;
    if (!first || first->parser)
        return meta_fail(h->error, "%s: the first section must be [net]", h->cfg->path);
    if (meta_guard_options(&h->cfg->sections[0], h->cfg->path, -1, h->error)) return -1;
    for (int i = 1; i < h->cfg->count; i++) {
        int is_layer = check_section(h, &h->cfg->sections[i], layers);
        if (is_layer < 0) return -1;
        layers += is_layer;
    }
    if (!layers) return meta_fail(h->error, "%s: the network has no layers", h->cfg->path);
    return layers;
}

static int fill_network(struct host *h)
{
    network *net = h->net;
    list *options = make_options(h, &h->cfg->sections[0]);
    net->gpu_index = *h->library->gpu_index;
    h->library->parse_net_options(options, net);
    free_options(h, options);
    h->at = (struct meta_size_params){ net->batch, net->inputs, net->h,          net->w,
                                       net->c,     0,           net->time_steps, net };
    fprintf(stderr, "layer     filters    size              input                output\n");
    for (int i = 1; i < h->cfg->count; i++)
        if (is_layer_section(h, &h->cfg->sections[i]) && add_layer(h, &h->cfg->sections[i]))
            return -1;
    layer out = h->library->get_network_output_layer(net), last = net->layers[net->n - 1];
    net->outputs = out.outputs;
    net->output = out.output;
    net->truths = last.truths ? last.truths : out.outputs;
    net->input = calloc((size_t)net->inputs * net->batch, sizeof *net->input);
    net->truth = calloc((size_t)net->truths * net->batch, sizeof *net->truth);
    if (h->workspace) net->workspace = calloc(1, h->workspace);
    if (!net->input || !net->truth || (h->workspace && !net->workspace))
        return meta_fail_memory_for(h->error, h->cfg->path);
    return 0;
}

/* Ends the process where the library's own parser would end by a signal: it takes the carriage
   return of a CRLF for a part of the section's name. A file that can't be read here is left to the
   library. */
static void guard_stock(const char *path)
{
    struct meta_error error;
    struct meta_cfg *cfg;
    char *text;
    size_t size;
    if (meta_file_read(path, &text, &size, &error)) return;
    int crlf = strstr(text, "]\r\n") != NULL;
    free(text);
    if (crlf) {
        meta_fail(&error, "%s: lines end in CRLF, which the library can't read: must end in LF",
                  path);
        die(&error);
    }
    if (meta_cfg_read(&cfg, path, &error)) return;
    if (meta_guard_cfg(cfg, &error)) die(&error);
    meta_cfg_free(cfg);
}

__attribute__((visibility("default"))) network *parse_network_cfg(char *path)
{
    struct meta_error error;
    struct meta_library library;
    struct host h = { .library = &library, .error = &error };
    struct meta_cfg *cfg;
    if (meta_library_find(&library, __builtin_return_address(0), &error)) die(&error);
    if (!is_ours(&h, path)) {
        guard_stock(path);
        return library.parse_network_cfg(path);
    }
    if (meta_cfg_read(&cfg, path, &error)) die(&error);
    h.cfg = cfg;
    int layers = count_layers(&h);
    if (layers < 0) die(&error);
    h.net = library.make_network(layers);
    if (fill_network(&h)) die(&error);
    meta_cfg_free(cfg);
    return h.net;
}

/* The library would resize a plugin's layer as a convolution, and divide by its stride, 0. */
__attribute__((visibility("default"))) int resize_network(network *net, int w, int h)
{
    struct meta_error error;
    struct meta_library library;
    if (meta_library_find(&library, __builtin_return_address(0), &error)) die(&error);
    int (*resize)(network *, int, int) = meta_library_symbol(&library, "resize_network", &error);
    if (!resize) die(&error);
    for (int i = 0; i < net->n; i++) {
        const char *plugin = meta_host_plugin(&net->layers[i]);
        if (!plugin) continue;
        meta_fail(&error, "layer %d, [%s]: a plugin's layer can't be resized to %dx%d", i, plugin,
                  w, h);
        die(&error);
    }
    return resize(net, w, h);
}
