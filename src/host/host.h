/* The plugin host inside libdarknet: a parse_network_cfg() for .cfg files with sections of plugins.
   It takes the place of the library's own in ./darknet, and through LD_PRELOAD
   (libdarknet-meta-host.so) in any program that uses libdarknet. */
#ifndef META_HOST_H
#define META_HOST_H

#include <darknet.h>
#include "base/error.h"

/* size_params of Darknet's src/parser.c, which libdarknet hands to a section's parser by value. */
struct meta_size_params {
    int batch, inputs, h, w, c, index, time_steps;
    network *net;
};
typedef layer meta_parser(list *, struct meta_size_params);
typedef layer meta_parser_net(list *, struct meta_size_params, network *);

/* The library in this process, and the functions of it that the host's parser calls. */
struct meta_library {
    void *handle;
    char path[512];
    network *(*parse_network_cfg)(char *); /* the library's own */
    network *(*make_network)(int layers);
    void (*parse_net_options)(list *, network *);
    list *(*make_list)(void);
    void (*option_insert)(list *, char *key, char *value);
    void (*free_list_contents)(list *);
    void (*free_list)(list *);
    int (*option_find_int_quiet)(list *, char *key, int fallback);
    float (*option_find_float_quiet)(list *, char *key, float fallback);
    void (*option_unused)(list *);
    layer (*get_network_output_layer)(network *);
    int *gpu_index;
};

/* Loads libdarknet.so from where the loader finds it, LD_LIBRARY_PATH before the build's DARKNET,
   and fills the struct as meta_library_find does. It stays open. */
int meta_library_open(struct meta_library *, struct meta_error *);

/* Finds the libdarknet that `caller`, a return address, belongs to or, where it belongs to none,
   the one that the process uses. Refuses a library whose struct layer has another size than in the
   darknet.h that the host was compiled with. */
int meta_library_find(struct meta_library *, const void *caller, struct meta_error *);
/* The address of the library's function or variable of that name; NULL with the message where the
   library has none. */
void *meta_library_symbol(const struct meta_library *, const char *name, struct meta_error *);

/* Makes a layer of the library's out of a plugin's: it takes floats and gives them to the plugin as
   doubles. The library's free_layer frees its parts. `settings` were parsed with the plugin's table
   and stay the caller's. The input's sizes are in the struct. */
int meta_host_layer(layer *, const struct meta_plugin *, const void *settings,
                    struct meta_size_params, struct meta_error *);

/* The name of the plugin whose layer it is; NULL: the layer is the library's own. */
const char *meta_host_plugin(const layer *);

#endif
