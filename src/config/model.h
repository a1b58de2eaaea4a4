/* A .cfg, read and checked: the network, and the settings of training and tasks. */
#ifndef META_MODEL_H
#define META_MODEL_H

#include "network/network.h"

enum meta_policy { META_POLICY_CONSTANT, META_POLICY_STEP, META_POLICY_EXP, META_POLICY_POLY, META_POLICY_STEPS,
                   META_POLICY_SIGMOID };

/* [net]: Darknet's keys, names and defaults (parse_net_options); `flip` is ours (1: mirror at random, as the stock
   classifier loader always does). Keys that mean nothing here (time_steps...) are accepted and kept out. */
struct meta_net_settings {
    int width, height, channels;
    double learning_rate, momentum, decay;
    int policy; int step; double scale, gamma, power; int burn_in;      /* enum meta_policy */
    struct meta_list steps, scales;
    int max_batches;
    int batch, subdivisions;                /* of supervised training: images an iteration, and in how many equal parts they pass */
    int adam; double B1, B2, eps;
    double clip;                            /* largest norm of the meta-gradient; 0: not clipped */
    int min_crop, max_crop, flip;           /* pixels of the shorter side after random scaling; defaults width, 2*width */
    double angle, aspect, hue, saturation, exposure;
};

/* What a network is used for; purpose.h says what its .cfg must have for it. META_FOR_ANY: a method takes what it needs of the network. */
enum meta_purpose { META_FOR_TASKS, META_FOR_IMAGES, META_FOR_ANY };

struct meta_model {
    enum meta_purpose purpose;
    char *path;                             /* the .cfg */
    int net_line, episode_line;             /* lines of [net] and [episode]; 0: the .cfg has none */
    char *name;                             /* "daml-4conv" of cfg/daml-4conv.cfg: the name of weights, charts and logs */
    struct meta_net_settings net;
    struct meta_network *network;
    struct meta_episode_settings *episode;
    struct meta_inner_settings *inner;
    const struct meta_plugin *loss;         /* of role META_ROLE_META_LOSS */
    void *loss_settings;
    void *owned;                            /* opaque; meta_model_free frees it */
};

/* Loads the plugins (once a process), reads the file and checks it for the purpose. Every error names file and line. A .cfg without
   [episode] or [inner_loop] has their plugins' defaults, one without [meta_loss] type=mean. The caller frees. */
int  meta_model_load_for(struct meta_model **, const char *cfg_path, enum meta_purpose, struct meta_error *);
int  meta_model_load(struct meta_model **, const char *cfg_path, struct meta_error *);      /* for META_FOR_TASKS */
void meta_model_free(struct meta_model *);

#endif
