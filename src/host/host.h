/* The plugin host inside libdarknet: parse_network_cfg() for .cfg files with our section types. It takes the place of the library's
   own in ./darknet, and through LD_PRELOAD (libdarknet-meta-host.so) in any program that uses libdarknet. */
#ifndef META_HOST_H
#define META_HOST_H

#include <darknet.h>
#include "base/error.h"

/* What libdarknet hands a section's parser by value. */
struct meta_size_params { int batch, inputs, h, w, c, index, time_steps; network *net; };
typedef layer meta_parser(list *, struct meta_size_params);
typedef layer meta_parser_net(list *, struct meta_size_params, network *);

/* The library in this process: what of it the parser calls. */
struct meta_library {
    void *handle;
    char path[512];
    network *(*parse_network_cfg)(char *);              /* its own */
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

/* Loads libdarknet.so from where the loader finds it; the last place it looks at is the build's DARKNET. Returns the loader's
   handle, which stays open; NULL with the message. */
void *meta_library_load(struct meta_error *);
/* Loads it, and fills the struct as meta_library_find does. */
int meta_library_open(struct meta_library *, struct meta_error *);

/* Finds the libdarknet that `caller` (a return address) belongs to or, where it belongs to none, uses. Refuses one whose
   struct layer has another size than in the darknet.h this was compiled with. */
int meta_library_find(struct meta_library *, const void *caller, struct meta_error *);
void *meta_library_symbol(const struct meta_library *, const char *name, struct meta_error *);   /* NULL: it has none */

/* A plugin's layer for that library: takes floats and gives them to the plugin as doubles. Its parts are freed by the library's
   free_layer. `settings` were parsed with the plugin's table and stay the caller's. */
int meta_host_layer(layer *, const struct meta_plugin *, const void *settings, struct meta_size_params, struct meta_error *);

#endif
