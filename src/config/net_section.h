/* What [net] says: Darknet's keys, names and defaults (parse_net_options). */
#ifndef META_NET_SECTION_H
#define META_NET_SECTION_H

#include "base/error.h"

#define META_MOST_ITERATIONS 100000000

enum meta_policy {
    META_POLICY_CONSTANT,
    META_POLICY_STEP,
    META_POLICY_EXP,
    META_POLICY_POLY,
    META_POLICY_STEPS,
    META_POLICY_SIGMOID,
    META_POLICY_COSINE /* not Darknet's */
};

/* How the images of files are turned before the network sees them. */
enum meta_orientation {
    META_ORIENTATION_EXIF,  /* upright, as the files' EXIF data say, which stock Darknet does too */
    META_ORIENTATION_STORED /* as the pixels lie in the files */
};

/* `orientation` and `average` are not Darknet's. `flip` is not Darknet's (1: mirror at random, as
   the stock classifier loader always does). Keys that mean nothing here (time_steps...) are
   accepted and not kept. */
struct meta_net_settings {
    int width, height, channels;
    double learning_rate, momentum, decay;
    int policy; /* enum meta_policy */
    int step;
    double scale, gamma, power;
    int burn_in;
    struct meta_list steps, scales;
    int max_batches;
    /* Supervised training: images an iteration, and in how many equal parts they pass. */
    int batch, subdivisions;
    int adam;
    double B1, B2, eps;
    double clip;    /* largest norm of the meta-gradient; 0: not clipped */
    double average; /* a of NAME_average.weights (training/average.h); 0: none are kept */
    /* Pixels of the shorter side after random scaling; where absent, width and 2*width. */
    int min_crop, max_crop;
    int flip; /* 1: mirrors at random */
    double angle, aspect, hue, saturation, exposure;
    int orientation; /* enum meta_orientation */
};

/* The lines of [net] that an exported network takes along, since its images are read by them: NULL
   or "orientation=stored\n". Stock Darknet says that it does not know the key. */
const char *meta_net_exported(const struct meta_net_settings *);

#endif
