/* A program of others that uses libdarknet-meta in every wrong way that the library can see (tests/cli/library.sh).

       misuse CFG WEIGHTS OTHER_CFG OTHER_WEIGHTS FOLDER        of two 12x12 gray networks of two classes

   Prints "ok - " or "not ok - " for each thing that must hold; exits with 1 when one does not. */
#include <darknet_meta.h>

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, PIXELS = SIDE * SIDE, KNOWN = 4, ASKED = 3, ROUNDS = 30, SAVERS = 4 };

static int failures;
static const int labels[KNOWN] = { 0, 1, 0, 1 };
static float pixels[KNOWN + ASKED][PIXELS];
static darknet_meta_error e;

static void say(int holds, const char *what)
{
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
    failures += !holds;
}

/* Says whether `status` is -1 and the one line in `e` is `text`. */
static void refuses(int status, const char *text)
{
    char line[700];
    int holds = status == -1 && !strcmp(e.text, text);
    snprintf(line, sizeof line, "misuse: %s", text);
    say(holds, line);
    if (!holds) printf("    | %d: %s\n", status, e.text);
    memset(&e, 0, sizeof e);
}

static void make(darknet_meta_image *image)
{
    for (int i = 0; i < KNOWN + ASKED; i++) image[i] = (darknet_meta_image){ DARKNET_META_FLOATS, SIDE, SIDE, 1, pixels[i] };
}

/* ---- files --------------------------------------------------------------------------------------- */

static void misuse_load(const char *cfg, const char *weights)
{
    darknet_meta_model *m = (darknet_meta_model *)&e;
    refuses(darknet_meta_load(NULL, cfg, weights, &e), "the place of the result is NULL: must be given");
    refuses(darknet_meta_load(&m, NULL, weights, &e), "the name of the .cfg is NULL: must be given");
    say(!m, "a model that can't be loaded is NULL");
    refuses(darknet_meta_load(&m, cfg, NULL, &e), "the name of the .weights is NULL: must be given");
    refuses(darknet_meta_load(&m, "", weights, &e), "the name of the .cfg is empty");
    refuses(darknet_meta_load(&m, cfg, "", &e), "the name of the .weights is empty");
    refuses(darknet_meta_load(&m, "a\nb\033[2J", weights, &e), "a?b?[2J: No such file or directory");
    say(darknet_meta_load(NULL, NULL, NULL, NULL) == -1, "loading nothing, with no place for the error, fails");
    say(darknet_meta_width(NULL) == -1 && darknet_meta_height(NULL) == -1 && darknet_meta_channels(NULL) == -1
        && darknet_meta_most_classes(NULL) == -1 && darknet_meta_classes(NULL) == -1, "sizes of no model and no classifier are -1");
    double before = 0, after = 0;
    darknet_meta_losses(NULL, &before, &after);
    say(isnan(before) && isnan(after), "losses of no classifier are not numbers");
    darknet_meta_losses(NULL, NULL, NULL);
    darknet_meta_free(NULL);
    darknet_meta_classifier_free(NULL);
}

static void misuse_open(const char *cfg, const char *weights)
{
    darknet_meta_classifier *c = (darknet_meta_classifier *)&e;
    refuses(darknet_meta_open(NULL, cfg, weights, &e), "the place of the result is NULL: must be given");
    refuses(darknet_meta_open(&c, NULL, weights, &e), "the name of the .cfg is NULL: must be given");
    say(!c, "a classifier that can't be opened is NULL");
    refuses(darknet_meta_open(&c, cfg, NULL, &e), "the name of the .weights is NULL: must be given");
    refuses(darknet_meta_open(&c, "", weights, &e), "the name of the .cfg is empty");
    refuses(darknet_meta_open(&c, cfg, "", &e), "the name of the .weights is empty");
    say(darknet_meta_open(&c, cfg, weights, &e) == -1 && strstr(e.text, "must be adapted by darknet_meta_adapt"), "a network that is not adapted is not opened");
    say(darknet_meta_open(NULL, NULL, NULL, NULL) == -1, "opening nothing, with no place for the error, fails");
}

static void misuse_save(const darknet_meta_classifier *c, const char *folder)
{
    char name[500], line[600];
    snprintf(name, sizeof name, "%s/none", folder);
    refuses(darknet_meta_save(NULL, name, DARKNET_META_SUPPORT, &e), "the classifier is NULL: must be given");
    refuses(darknet_meta_save(c, NULL, DARKNET_META_SUPPORT, &e), "the name of the files is NULL: must be given");
    refuses(darknet_meta_save(c, "", DARKNET_META_SUPPORT, &e), "the name of the files is empty");
    refuses(darknet_meta_save(c, "/", DARKNET_META_SUPPORT, &e), "/: is a folder: must be the name of the files in it");
    snprintf(name, sizeof name, "%s/", folder);
    snprintf(line, sizeof line, "%s: is a folder: must be the name of the files in it", name);
    refuses(darknet_meta_save(c, name, DARKNET_META_SUPPORT, &e), line);
    refuses(darknet_meta_save(c, "x", (enum darknet_meta_statistics)-1, &e), "x: can't hold a batch's statistics: must be DARKNET_META_SUPPORT or DARKNET_META_RUNNING");
    refuses(darknet_meta_save(c, "x", (enum darknet_meta_statistics)3, &e), "x: can't hold a batch's statistics: must be DARKNET_META_SUPPORT or DARKNET_META_RUNNING");
    say(darknet_meta_save(NULL, NULL, DARKNET_META_SUPPORT, NULL) == -1, "saving nothing, with no place for the error, fails");
}

/* ---- images -------------------------------------------------------------------------------------- */

static int adapt(const darknet_meta_model *m, const darknet_meta_image *image, const int *given, int count, int classes)
{
    darknet_meta_classifier *c;
    return darknet_meta_adapt(&c, m, &(darknet_meta_support){ image, given, count, classes }, 1, &e);
}

static void misuse_adapt(const darknet_meta_model *m)
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_classifier *c = (darknet_meta_classifier *)&e;
    make(image);
    const darknet_meta_support good = { image, labels, KNOWN, 2 };
    refuses(darknet_meta_adapt(NULL, m, &good, 1, &e), "the place of the result is NULL: must be given");
    refuses(darknet_meta_adapt(&c, NULL, &good, 1, &e), "the model is NULL: must be given");
    say(!c, "a classifier that can't be adapted is NULL");
    refuses(darknet_meta_adapt(&c, m, NULL, 1, &e), "the support is NULL: must be given");
    refuses(adapt(m, NULL, labels, KNOWN, 2), "the support's array of images is NULL: must be given");
    refuses(adapt(m, image, NULL, KNOWN, 2), "the support's array of labels is NULL: must be given");
    refuses(adapt(m, image, labels, 0, 2), "0 images: must be at least one of each class");
    refuses(adapt(m, image, labels, -1, 2), "-1 images: must be at least one of each class");
    refuses(adapt(m, image, labels, INT_MIN, 2), "-2147483648 images: must be at least one of each class");
    refuses(adapt(m, image, labels, 1, 2), "1 images of 2 classes: must be at least one of each");
    refuses(adapt(m, image, labels, KNOWN, 0), "0 classes: must be 2, which the network tells apart");
    refuses(adapt(m, image, labels, KNOWN, -2), "-2 classes: must be 2, which the network tells apart");
    refuses(adapt(m, image, labels, KNOWN, INT_MAX), "2147483647 classes: must be 2, which the network tells apart");
    refuses(adapt(m, image, (int[]){ 0, 1, 0, -1 }, KNOWN, 2), "label -1 of image 3: must be 0 to 1");
    refuses(adapt(m, image, (int[]){ 0, 1, 0, INT_MAX }, KNOWN, 2), "label 2147483647 of image 3: must be 0 to 1");
    refuses(adapt(m, image, (int[]){ 1, 1, 1, 1 }, KNOWN, 2), "class 0 has no image: must have at least one");
    refuses(darknet_meta_adapt(&c, m, &good, -2, &e), "-2 steps: must be at least 0");
    refuses(darknet_meta_adapt(&c, m, &good, INT_MIN, &e), "-2147483648 steps: must be at least 0");
    refuses(darknet_meta_adapt(&c, m, &good, INT_MAX, &e), "2147483647 steps: must be at most 1000");
    say(darknet_meta_adapt(NULL, NULL, NULL, 1, NULL) == -1, "adapting nothing, with no place for the error, fails");
}

/* Images that are none, as support and to be predicted */
static void misuse_images(const darknet_meta_model *m, const darknet_meta_classifier *c)
{
    static float bad[PIXELS];
    static unsigned char bytes[3] = { 1, 2, 3 };
    const struct {
        darknet_meta_image image;
        float first; /* of `bad` */
        const char *text;
    } cases[] = {
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, NULL }, 0, "12x12 pixels at NULL: must have 1 to 100000000" },
        { { DARKNET_META_FLOATS, 0, SIDE, 1, bad }, 0, "0x12 pixels: must have 1 to 100000000" },
        { { DARKNET_META_BYTES, -1, -1, 1, bytes }, 0, "-1x-1 pixels: must have 1 to 100000000" },
        { { DARKNET_META_BYTES, INT_MAX, INT_MAX, 1, bytes }, 0, "2147483647x2147483647 pixels: must have 1 to 100000000" },
        { { DARKNET_META_FLOATS, 11, SIDE, 1, bad }, 0, "11x12 floats: must be the network's 12x12" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 0, bad }, 0, "0 channels: must be the network's 1" },
        { { DARKNET_META_BYTES, 1, 1, 3, bytes }, 0, "3 channels: must be the network's 1" },
        { { DARKNET_META_BYTES, 1, 1, INT_MIN, bytes }, 0, "-2147483648 channels: must be the network's 1" },
        { { (enum darknet_meta_pixels)2, SIDE, SIDE, 1, bad }, 0, "kind 2: must be DARKNET_META_BYTES or DARKNET_META_FLOATS" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, bad }, NAN, "has the value nan: must be 0 to 1" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, bad }, INFINITY, "has the value inf: must be 0 to 1" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, bad }, -.125f, "has the value -0.125: must be 0 to 1" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, bad }, 1.00000012f, "has the value 1.00000012: must be 0 to 1" },
        { { DARKNET_META_FLOATS, SIDE, SIDE, 1, bad }, 255, "has the value 255: must be 0 to 1" },
    };
    darknet_meta_image image[KNOWN + ASKED];
    float p[2 * ASKED];
    char line[600];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bad[0] = cases[i].first;
        make(image);
        image[1] = cases[i].image;
        snprintf(line, sizeof line, "image 1: %s", cases[i].text);
        refuses(adapt(m, image, labels, KNOWN, 2), line);
        refuses(darknet_meta_predict(c, image, 2, DARKNET_META_SUPPORT, p, &e), line);
    }
}

static void misuse_predict(const darknet_meta_classifier *c)
{
    darknet_meta_image image[KNOWN + ASKED];
    float p[2 * ASKED];
    double odds[2 * ASKED];
    make(image);
    refuses(darknet_meta_predict(NULL, image, 1, DARKNET_META_SUPPORT, p, &e), "the classifier is NULL: must be given");
    refuses(darknet_meta_predict(c, NULL, 1, DARKNET_META_SUPPORT, p, &e), "the array of images is NULL: must be given");
    refuses(darknet_meta_predict(c, image, 1, DARKNET_META_SUPPORT, NULL, &e), "the place of the answers is NULL: must be given");
    refuses(darknet_meta_predict(c, image, 0, DARKNET_META_SUPPORT, p, &e), "0 images: must be at least 1");
    refuses(darknet_meta_predict(c, image, -5, DARKNET_META_SUPPORT, p, &e), "-5 images: must be at least 1");
    refuses(darknet_meta_predict(c, image, 1, (enum darknet_meta_statistics)-1, p, &e), "statistics -1: must be DARKNET_META_SUPPORT, _RUNNING or _BATCH");
    refuses(darknet_meta_log_odds(NULL, image, 1, DARKNET_META_SUPPORT, odds, &e), "the classifier is NULL: must be given");
    refuses(darknet_meta_log_odds(c, NULL, 1, DARKNET_META_SUPPORT, odds, &e), "the array of images is NULL: must be given");
    refuses(darknet_meta_log_odds(c, image, 1, DARKNET_META_SUPPORT, NULL, &e), "the place of the answers is NULL: must be given");
    refuses(darknet_meta_log_odds(c, image, 1, DARKNET_META_BATCH, odds, &e), "1 images: must be at least 2, which are normalised together");
    say(darknet_meta_predict(NULL, NULL, -1, DARKNET_META_SUPPORT, NULL, NULL) == -1, "predicting nothing, with no place for the error, fails");
}

static void misuse_features(const darknet_meta_model *m, const darknet_meta_classifier *c)
{
    darknet_meta_image image[KNOWN + ASKED];
    const darknet_meta_layer last = { DARKNET_META_LAST_LAYER, DARKNET_META_RUNNING };
    float f[2 * 1024];
    int size;
    make(image);
    refuses(darknet_meta_feature_size(NULL, 0, &size, &e), "the model is NULL: must be given");
    refuses(darknet_meta_feature_size(m, 0, NULL, &e), "the place of the result is NULL: must be given");
    refuses(darknet_meta_feature_size(m, INT_MAX, &size, &e), "layer 2147483647: must be 0 to 3, the layers before [softmax]");
    refuses(darknet_meta_classifier_feature_size(NULL, 0, &size, &e), "the classifier is NULL: must be given");
    refuses(darknet_meta_classifier_feature_size(c, INT_MIN, &size, &e), "layer -2147483648: must be 0 to 3, the layers before [softmax]");
    refuses(darknet_meta_features(NULL, &last, image, 1, f, &e), "the model is NULL: must be given");
    refuses(darknet_meta_features(m, NULL, image, 1, f, &e), "the layer is NULL: must be given");
    refuses(darknet_meta_features(m, &last, NULL, 1, f, &e), "the array of images is NULL: must be given");
    refuses(darknet_meta_features(m, &last, image, 1, NULL, &e), "the place of the features is NULL: must be given");
    refuses(darknet_meta_features(m, &last, image, 0, f, &e), "0 images: must be at least 1");
    refuses(darknet_meta_features(m, &(darknet_meta_layer){ 4, DARKNET_META_RUNNING }, image, 1, f, &e), "layer 4: must be 0 to 3, the layers before [softmax]");
    refuses(darknet_meta_features(m, &(darknet_meta_layer){ 0, DARKNET_META_SUPPORT }, image, 1, f, &e), "a model that is not adapted has no support images: must be DARKNET_META_RUNNING or DARKNET_META_BATCH");
    refuses(darknet_meta_features(m, &(darknet_meta_layer){ 0, (enum darknet_meta_statistics)3 }, image, 1, f, &e), "statistics 3: must be DARKNET_META_SUPPORT, _RUNNING or _BATCH");
    refuses(darknet_meta_classifier_features(c, &(darknet_meta_layer){ 0, DARKNET_META_BATCH }, image, 1, f, &e), "1 images: must be at least 2, which are normalised together");
    refuses(darknet_meta_classifier_features(NULL, &last, image, 1, f, &e), "the classifier is NULL: must be given");
    say(darknet_meta_features(NULL, NULL, NULL, -1, NULL, NULL) == -1, "features of nothing, with no place for the error, fail");
    say(!darknet_meta_feature_size(m, DARKNET_META_LAST_LAYER, &size, &e) && size > 2 && size <= 1024
        && !darknet_meta_features(m, &last, image, 2, f, &e) && !darknet_meta_classifier_features(c, &last, image, 1, f, &e), "features of the last layer are given");
}

static void misuse_auc(void)
{
    const double scores[] = { .2, .9, .9, .4, NAN };
    const int classes[] = { 0, 1, 0, 1, 2 };
    const int patients[] = { 7, 7, -3, -3, 0 };
    darknet_meta_interval area, grouped;
    refuses(darknet_meta_auc(NULL, classes, NULL, 5, &area, &e), "the array of scores is NULL: must be given");
    refuses(darknet_meta_auc(scores, NULL, NULL, 5, &area, &e), "the array of labels is NULL: must be given");
    refuses(darknet_meta_auc(scores, classes, NULL, 5, NULL, &e), "the place of the result is NULL: must be given");
    refuses(darknet_meta_auc(scores, classes, NULL, 1, &area, &e), "0 scores labelled 1 and 1 labelled 0: must be at least one of each, which they tell apart");
    refuses(darknet_meta_auc(scores, classes, NULL, -1, &area, &e), "0 scores labelled 1 and 0 labelled 0: must be at least one of each, which they tell apart");
    refuses(darknet_meta_auc(scores + 4, (int[]){ 1 }, NULL, 1, &area, &e), "score 0 is not a number");
    say(!darknet_meta_auc(scores, classes, patients, 5, &grouped, &e) && grouped.value == 2.5 / 4, "an AUC over groups is the same one");
    say(!darknet_meta_auc(scores, classes, NULL, 5, &area, &e) && area.value == 2.5 / 4, "an AUC counts a tie half, and leaves out other labels");
}

/* A classifier whose weights are so large that the answer overflows */
static void damaged_weights(const darknet_meta_classifier *c, const char *folder)
{
    char name[400], cfg[410], weights[410], other[410], line[1100];
    darknet_meta_classifier *damaged = NULL;
    darknet_meta_image image[KNOWN + ASKED];
    float large[100];
    float p[2 * ASKED];
    double odds[2 * ASKED];
    snprintf(name, sizeof name, "%s/damaged", folder);
    snprintf(cfg, sizeof cfg, "%s.cfg", name);
    snprintf(weights, sizeof weights, "%s.weights", name);
    make(image);
    for (int i = 0; i < 100; i++) large[i] = 3e38f;
    FILE *f = darknet_meta_save(c, name, DARKNET_META_SUPPORT, &e) ? NULL : fopen(weights, "r+b");
    if (f && !fseek(f, -(long)sizeof large, SEEK_END)) fwrite(large, sizeof large, 1, f);
    if (f) fclose(f);
    snprintf(line, sizeof line, "%s: is not the file that %s was written with: must be that file, weights of another name, or a .cfg without its comment \"weights\"", weights, cfg);
    refuses(f ? darknet_meta_open(&damaged, cfg, weights, &e) : -1, line);
    snprintf(other, sizeof other, "%s/of_another_name.weights", folder);
    if (rename(weights, other) || darknet_meta_open(&damaged, cfg, other, &e)) say(0, e.text);
    refuses(darknet_meta_predict(damaged, image, 2, DARKNET_META_SUPPORT, p, &e), "image 0: the answer is no number");
    refuses(darknet_meta_log_odds(damaged, image, 2, DARKNET_META_SUPPORT, odds, &e), "image 0: the answer is no number");
    darknet_meta_classifier_free(damaged);
}

/* Thin and tiny images of bytes are images: they are enlarged or shrunk. */
static void odd_sizes(const darknet_meta_classifier *c)
{
    const int sizes[][2] = { { 1, 1 }, { 1, 5000 }, { 5000, 1 }, { 3, 2 } };
    unsigned char *bytes = calloc(1, 5000);
    int whole = 1;
    float p[2];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        darknet_meta_image image = { DARKNET_META_BYTES, sizes[i][0], sizes[i][1], 1, bytes };
        whole &= !darknet_meta_predict(c, &image, 1, DARKNET_META_SUPPORT, p, &e) && fabsf(p[0] + p[1] - 1) < 1e-5;
    }
    free(bytes);
    say(whole, "images of bytes of 1x1, 1x5000, 5000x1 and 3x2 pixels have answers");
}

/* ---- two models on two threads ------------------------------------------------------------------- */

struct user {
    const char *cfg, *weights;
    float expected[2 * ASKED];
    int differ;
};

/* Loads, adapts and predicts once; 0 when all went well. */
static int once(const struct user *u, float *p)
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_model *m;
    darknet_meta_classifier *c = NULL;
    make(image);
    if (darknet_meta_load(&m, u->cfg, u->weights, NULL)) return -1;
    int status = darknet_meta_adapt(&c, m, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 3, NULL)
        || darknet_meta_predict(c, image + KNOWN, ASKED, DARKNET_META_SUPPORT, p, NULL);
    darknet_meta_free(m);
    darknet_meta_classifier_free(c);
    return status;
}

static void *work(void *user)
{
    struct user *u = user;
    float p[2 * ASKED];
    for (int i = 0; i < ROUNDS; i++) {
        memset(p, 0, sizeof p);
        u->differ |= once(u, p) || memcmp(p, u->expected, sizeof p);
    }
    return NULL;
}

static void two_models(char **argv)
{
    struct user users[2] = { { argv[1], argv[2], { 0 }, 0 }, { argv[3], argv[4], { 0 }, 0 } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) users[i].differ = once(&users[i], users[i].expected);
    say(!users[0].differ && !users[1].differ && memcmp(users[0].expected, users[1].expected, sizeof users[0].expected), "two models give answers, and others");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, work, &users[i])) exit(2);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    say(!users[0].differ && !users[1].differ, "two models on two threads at once give the answers of each alone, bit for bit");
}

/* ---- one new name, saved by threads at once ------------------------------------------------------ */

struct saver {
    const darknet_meta_classifier *c;
    const char *name;
    darknet_meta_error why;
    int failed;
};

static void *save(void *saver)
{
    struct saver *s = saver;
    s->failed = darknet_meta_save(s->c, s->name, DARKNET_META_SUPPORT, &s->why);
    return NULL;
}

static void one_name(const darknet_meta_model *m, const darknet_meta_classifier *c, const char *folder)
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_classifier *other, *read;
    char name[400], cfg[500], weights[500];
    int refused = 0, unread = 0;
    make(image);
    if (darknet_meta_adapt(&other, m, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 5, &e)) exit(2);
    for (int i = 0; i < ROUNDS; i++) {
        struct saver savers[SAVERS];
        pthread_t threads[SAVERS];
        snprintf(name, sizeof name, "%s/shared%d", folder, i);
        snprintf(cfg, sizeof cfg, "%s.cfg", name);
        snprintf(weights, sizeof weights, "%s.weights", name);
        for (int k = 0; k < SAVERS; k++) {
            savers[k] = (struct saver){ k % 2 ? other : c, name, { { 0 } }, 0 };
            if (pthread_create(&threads[k], NULL, save, &savers[k])) exit(2);
        }
        for (int k = 0; k < SAVERS; k++) {
            pthread_join(threads[k], NULL);
            if (savers[k].failed && !refused++) printf("    | %s\n", savers[k].why.text);
        }
        if (!darknet_meta_open(&read, cfg, weights, &e)) darknet_meta_classifier_free(read);
        else if (!unread++) printf("    | %s\n", e.text);
    }
    darknet_meta_classifier_free(other);
    say(!refused, "threads that save one new name at once refuse each other nothing");
    say(!unread, "and leave the .cfg and .weights of one of them");
}

int main(int argc, char **argv)
{
    darknet_meta_model *m;
    darknet_meta_classifier *c;
    darknet_meta_image image[KNOWN + ASKED];
    if (argc != 6) return 2;
    srand(3);
    for (int i = 0; i < KNOWN + ASKED; i++)
        for (int j = 0; j < PIXELS; j++) pixels[i][j] = (i % 2 ? .55f : .05f) + .4f * (rand() % 1000) / 1000;
    misuse_load(argv[1], argv[2]);
    misuse_open(argv[1], argv[2]);
    make(image);
    if (darknet_meta_load(&m, argv[1], argv[2], &e) || darknet_meta_adapt(&c, m, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e)) {
        say(0, e.text);
        return 1;
    }
    misuse_save(c, argv[5]);
    misuse_adapt(m);
    misuse_images(m, c);
    misuse_predict(c);
    misuse_features(m, c);
    misuse_auc();
    odd_sizes(c);
    damaged_weights(c, argv[5]);
    one_name(m, c, argv[5]);
    darknet_meta_classifier_free(c);
    darknet_meta_free(m);
    two_models(argv);
    return failures > 0;
}
