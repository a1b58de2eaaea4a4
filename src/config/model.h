/* A .cfg, read and checked: the network, and the settings of training and tasks. */
#ifndef META_MODEL_H
#define META_MODEL_H

#include "net_section.h"
#include "network/network.h"

/* What a network is used for; purpose.h says what its .cfg must have for it. META_FOR_ANY: a method
   takes what it needs of the network. */
enum meta_purpose { META_FOR_TASKS, META_FOR_IMAGES, META_FOR_ANY };

struct meta_model {
    enum meta_purpose purpose;
    char *path;                 /* the .cfg */
    int net_line, episode_line; /* lines of [net] and [episode]; 0: the .cfg has none */
    int inner_line, loss_line;  /* likewise of the sections of `inner` and `loss` */
    int cost_line;              /* likewise of a [cost] behind the [softmax], which is no layer */
    char *name; /* "daml-4conv" of cfg/daml-4conv.cfg: the name of weights, charts and logs */
    struct meta_net_settings net;
    struct meta_network *network;
    struct meta_episode_settings *episode;
    struct meta_inner_settings *inner;
    const struct meta_plugin *loss; /* of role META_ROLE_META_LOSS */
    void *loss_settings;
    void *owned; /* opaque; meta_model_free frees it */
};

/* Loads the plugins (once a process), reads the file and checks it for the purpose. Every error
   names file and line. A .cfg without [episode] or [inner_loop] has their plugins' defaults, but
   for META_FOR_TASKS as many ways as the network has outputs; one without [meta_loss] has
   type=mean. A [cost] behind the [softmax] is no layer here. The caller frees. */
int meta_model_load_for(struct meta_model **, const char *cfg_path, enum meta_purpose,
                        struct meta_error *);
int meta_model_load(struct meta_model **, const char *cfg_path,
                    struct meta_error *); /* for META_FOR_TASKS */
void meta_model_free(struct meta_model *);

#endif
