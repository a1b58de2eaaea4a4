/* Opens libdarknet.so, or finds the one that a process has, with the functions the host calls. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/* A function that every libdarknet has, and that nothing else has. */
#define TOKEN "parse_net_options"

static struct link_map *object_of(const void *address)
{
    Dl_info info;
    struct link_map *map = NULL;
    return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* The handle is not closed again: the library stays for as long as its networks may be used. */
static void *open_object(const struct link_map *map)
{
    return dlopen(*map->l_name ? map->l_name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

/* Looks into one object after the other. dlopen without RTLD_GLOBAL, which is ctypes' default,
   leaves the library out of every scope but its own. */
static int search(struct dl_phdr_info *info, size_t size, void *found)
{
    void *handle = *info->dlpi_name ? dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (!handle) return 0;
    *(void **)found = dlsym(handle, TOKEN);
    dlclose(handle);
    return *(void **)found != NULL;
}

static void *find_token(const void *caller)
{
    const struct link_map *map = object_of(caller);
    void *handle = map ? open_object(map) : NULL, *token = handle ? dlsym(handle, TOKEN) : NULL;
    if (!token) token = dlsym(RTLD_DEFAULT, TOKEN);
    if (!token) dl_iterate_phdr(search, &token);
    return token;
}

void *meta_library_symbol(const struct meta_library *library, const char *name,
                          struct meta_error *error)
{
    void *symbol = dlsym(library->handle, name);
    if (!symbol)
        meta_fail(error,
                  "%s: has no %s: must be libdarknet of the darknet.h this was compiled with",
                  library->path, name);
    return symbol;
}

/* The library's sizeof(struct layer). Asked for the last of two layers, the library returns what
   lies that many bytes after the first. The numbers there are their own offsets, none of which is
   the type of a COST layer; `type` is the first member of any struct layer. The return value is
   declared with far more room than a layer needs, so that a larger one overwrites nothing. */
static size_t layer_size(const struct meta_library *library)
{
    typedef union {
        LAYER_TYPE type;
        unsigned words[1 << 14];
    } room;
    room (*last)(network *), *layers = malloc(2 * sizeof *layers);
    network net = { .n = 2, .layers = (layer *)layers };
    if (!layers) return 0;
    memcpy(&last, &library->get_network_output_layer, sizeof last);
    for (unsigned i = 0; i < 2 * sizeof *layers / sizeof(unsigned); i++)
        layers->words[i] = i * sizeof(unsigned);
    *layers = last(&net);
    size_t size = layers->words[0];
    free(layers);
    return size;
}

int meta_library_find(struct meta_library *library, const void *caller, struct meta_error *error)
{
    struct {
        const char *name;
        void *to;
    } symbols[] = {
        { "parse_network_cfg", &library->parse_network_cfg },
        { "make_network", &library->make_network },
        { TOKEN, &library->parse_net_options },
        { "make_list", &library->make_list },
        { "option_insert", &library->option_insert },
        { "free_list_contents", &library->free_list_contents },
        { "free_list", &library->free_list },
        { "option_find_int_quiet", &library->option_find_int_quiet },
        { "option_find_float_quiet", &library->option_find_float_quiet },
        { "option_unused", &library->option_unused },
        { "get_network_output_layer", &library->get_network_output_layer },
        { "gpu_index", &library->gpu_index },
    };
    void *token = find_token(caller);
    const struct link_map *map = token ? object_of(token) : NULL;
    if (!map || !(library->handle = open_object(map)))
        return meta_fail(error, "libdarknet.so is not in this process, or does not export " TOKEN);
    snprintf(library->path, sizeof library->path, "%s",
             *map->l_name ? map->l_name : "this program");
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = meta_library_symbol(library, symbols[i].name, error);
        if (!symbol) return -1;
        memcpy(symbols[i].to, &symbol, sizeof symbol);
    }
    size_t size = layer_size(library);
    if (size != sizeof(layer))
        return meta_fail(error,
                         "%s: its struct layer has %zu bytes, that of this host %zu: build the "
                         "host with make DARKNET=DIR against that library's darknet.h",
                         library->path, size, sizeof(layer));
    return 0;
}

int meta_library_open(struct meta_library *library, struct meta_error *error)
{
    void *handle = dlopen("libdarknet.so", RTLD_LAZY | RTLD_GLOBAL);
    if (!handle)
        return meta_fail(error, "libdarknet.so: can't be loaded: %s: install the package darknet",
                         dlerror());
    return meta_library_find(library, dlsym(handle, TOKEN), error);
}
