/* Trainings in process on six classes of small gray images: their files, settings, and comparison. */
#ifndef TOY_TRAINING_H
#define TOY_TRAINING_H

#include "image_files.h"
#include "backends/backends.h"
#include "training/trainer.h"

enum { SIDE = 12, IMAGES = 8, CLASSES = 6, TRAINED = 4 };
static struct meta_error error;

/* A folder of its own for each training: FOLDER/toy.data, FOLDER/toy.cfg, and FOLDER/backup. */
struct place {
    char folder[400], data[420], cfg[420];
};

static const char head[] = "[net]\nwidth=12\nheight=12\nchannels=1\nlearning_rate=0.01\nmax_"
                           "batches=8\nadam=1\n"
                           "min_crop=12\nmax_crop=15\nangle=10\nexposure=1.2\n";
static const char layers[] = "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad="
                             "1\nactivation=leaky\n"
                             "[maxpool]\nsize=2\nstride=2\n[dropout]\nprobability=.1\n";
static const char pairs[] = "[connected]\noutput=2\nactivation=linear\n[softmax]\n"
                            "[inner_loop]\nsteps=2\ntest_steps=3\nlearning_rate=0.1\norder=2\n";
static const char episode[] = "[episode]\nways=2\nshots=2\nqueries=3\ntasks=2\n";
static const char difficulty[] = "[meta_loss]\ntype=difficulty\neta=2\nstart=5\n";

static inline void write_cfg(const struct place *p, const char *more_net, const char *more_episode,
                      const char *loss)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", head, more_net, episode, more_episode, layers,
             pairs, loss);
    write_text(p->cfg, text);
}

static inline void write_data(const struct place *p, const char *valid)
{
    char text[3000];
    snprintf(text, sizeof text, "classes=%d\nlabels=%s\ntrain=%s\n%s%s\nbackup=%s/backup//\n",
             CLASSES, scratch("labels"), scratch("train.list"), valid ? "valid=" : "",
             valid ? scratch(valid) : "", p->folder);
    write_text(p->data, text);
}

static inline struct place make_place(const char *name)
{
    struct place p;
    snprintf(p.folder, sizeof p.folder, "%s", scratch(name));
    snprintf(p.data, sizeof p.data, "%s/toy.data", p.folder);
    snprintf(p.cfg, sizeof p.cfg, "%s/toy.cfg", p.folder);
    mkdir(p.folder, 0777);
    write_data(&p, "valid.list");
    write_cfg(&p, "", "", difficulty);
    return p;
}

static inline struct meta_training_settings settings(const struct place *p)
{
    return (struct meta_training_settings){ .kind = META_TRAINING_TASKS,
                                            .data = p->data,
                                            .cfg = p->cfg,
                                            .name = "toy",
                                            .backend = meta_backend_default(),
                                            .seed = 5,
                                            .threads = 2,
                                            .valid_runs = 4 };
}

static inline struct meta_trainer *opened(const struct meta_training_settings *s)
{
    struct meta_trainer *t;
    if (meta_trainer_open(&t, s, &error)) fail_msg("%s", error.text);
    return t;
}

/* text: what the message must hold. */
static inline void refused(const struct meta_training_settings *s, const char *text)
{
    struct meta_trainer *t = NULL;
    if (!meta_trainer_open(&t, s, &error)) fail_msg("not refused: %s", text);
    if (!strstr(error.text, text)) fail_msg("%s: must have: %s", error.text, text);
    assert_null(t);
}

/* Iterations up to number `last`. */
static inline void iterate(struct meta_trainer *t, uint64_t last)
{
    struct meta_row row;
    while (meta_trainer_done(t) < last)
        if (meta_trainer_step(t, &row, &error))
            fail_msg("%s", error.text);
}

static inline void close_saved(struct meta_trainer *t)
{
    if (meta_trainer_save(t, &error)) fail_msg("%s", error.text);
    meta_trainer_free(t);
}

/* Trains up to iteration `last` with these settings, and saves. */
static inline void train(const struct meta_training_settings *s, uint64_t last)
{
    struct meta_trainer *t = opened(s);
    iterate(t, last);
    close_saved(t);
}

/* Parameters, statistics and logs of the two are the same to the bit, but for the logs' times. */
static inline void assert_same(const struct meta_trainer *a, const struct meta_trainer *b)
{
    const struct meta_network *net = meta_trainer_model(a)->network;
    const struct meta_trainer *both[] = { a, b };
    float *parameters[2], *statistics[2];
    const struct meta_row *rows[2];
    int count[2];
    for (int i = 0; i < 2; i++) {
        parameters[i] = malloc(net->parameters * sizeof(float));
        statistics[i] = malloc(net->statistics * sizeof(float));
        meta_trainer_download(both[i], parameters[i], statistics[i]);
        rows[i] = meta_trainer_rows(both[i], &count[i]);
    }
    assert_memory_equal(parameters[0], parameters[1], net->parameters * sizeof(float));
    assert_memory_equal(statistics[0], statistics[1], net->statistics * sizeof(float));
    assert_int_equal(count[0], count[1]);
    for (int i = 0; i < count[0]; i++) {
        char text[2][64];
        for (int k = 0; k < 2; k++)
            snprintf(text[k], sizeof *text, "%d %.9g %.6g %.9g", (int)rows[k][i].iteration,
                     rows[k][i].query_loss, rows[k][i].accuracy,
                     rows[k][i].rate); /* as the file has them */
        assert_string_equal(text[0], text[1]);
    }
    for (int i = 0; i < 2; i++) {
        free(parameters[i]);
        free(statistics[i]);
    }
}

static inline int exists(const struct place *p, const char *name)
{
    char path[500];
    snprintf(path, sizeof path, "%s/backup/%s", p->folder, name);
    return !access(path, F_OK);
}

/* ---- the images ------------------------------------------------------------------------------ */

/* Four classes to train on and two to watch, of 8 gray images each. */
static inline int make_images(void **state)
{
    char train_list[8192] = "", valid_list[8192] = "", labels[200] = "", name[32];
    for (int c = 0; c < CLASSES; c++) {
        sprintf(labels + strlen(labels), "_k%d_\n", c);
        for (int i = 0; i < IMAGES; i++) {
            unsigned char *pixels = make_picture(SIDE, SIDE, 1, 8 * c + i);
            for (int k = 0; k < SIDE * SIDE; k++)
                pixels[k] = pixels[k] / 2 + (k * (c + 1) % 7) * 15 + i;
            struct bytes b = make_png(SIDE, SIDE, 1, 8, pixels);
            snprintf(name, sizeof name, "_k%d_%d.png", c, i);
            write_file(scratch(name), b.data, b.size);
            char *list = c < TRAINED ? train_list : valid_list;
            sprintf(list + strlen(list), "%s\n", scratch(name));
            free(b.data);
            free(pixels);
        }
    }
    write_text(scratch("labels"), labels);
    write_text(scratch("train.list"), train_list);
    write_text(scratch("valid.list"), valid_list);
    return 0;
}

#endif
