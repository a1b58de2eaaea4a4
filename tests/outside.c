/* A program of others: includes the public header alone, and is built by pkg-config's flags alone (tests/cli/library.sh).

       outside CFG WEIGHTS ADAPTATIONS        of a 12x12 gray network of two classes, on four threads

   Prints "ok - " or "not ok - " for each thing that must hold; exits with 1 when one does not. */
#include <darknet_meta.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, PIXELS = SIDE * SIDE, KNOWN = 4, ASKED = 3, THREADS = 4, KINDS = 5 };

static darknet_meta_model *model;
static const char *cfg_path, *weights_path;
static int failures, adaptations;
static const int labels[KNOWN] = { 0, 1, 0, 1 };
static float pixels[KINDS][KNOWN + ASKED][PIXELS];
static float expected[KINDS][3][ASKED * 2];            /* by kind of statistics, of the first, lone pass */

static void say(int holds, const char *what)
{
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
    failures += !holds;
}

static void make(darknet_meta_image *image, int kind)
{
    for (int i = 0; i < KNOWN + ASKED; i++) image[i] = (darknet_meta_image){ DARKNET_META_FLOATS, SIDE, SIDE, 1, pixels[kind][i] };
}

/* One adaptation to task `kind` and its predictions by each kind of statistics; 0 when all went well. */
static int once(int kind, float (*out)[ASKED * 2])
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_classifier *c;
    darknet_meta_error error;
    int status = 0;
    make(image, kind);
    if (darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, DARKNET_META_STEPS, &error)) return -1;
    for (int s = DARKNET_META_SUPPORT; s <= DARKNET_META_BATCH; s++) status |= darknet_meta_predict(c, image + KNOWN, ASKED, s, out[s], &error);
    darknet_meta_classifier_free(c);
    return status;
}

static void *work(void *differ)
{
    float out[3][ASKED * 2];
    darknet_meta_model *own;
    if (darknet_meta_load(&own, cfg_path, weights_path, NULL)) ++*(int *)differ;
    else darknet_meta_free(own);
    for (int i = 0; i < adaptations / THREADS; i++) {
        int kind = i % KINDS;
        memset(out, 0, sizeof out);
        if (once(kind, out) || memcmp(out, expected[kind], sizeof out)) ++*(int *)differ;
    }
    return NULL;
}

static long resident(void)
{
    long all, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &all, &pages) != 2) pages = 0;
    if (f) fclose(f);
    return pages * 4096;
}

static int on_threads(void)
{
    pthread_t thread[THREADS];
    int differ[THREADS] = { 0 }, sum = 0;
    for (int i = 0; i < THREADS; i++) if (pthread_create(&thread[i], NULL, work, &differ[i])) return -1;
    for (int i = 0; i < THREADS; i++) { pthread_join(thread[i], NULL); sum += differ[i]; }
    return sum;
}

static void check_answers(void)
{
    int whole = 1, right = 1;
    for (int k = 0; k < KINDS; k++) {
        if (once(k, expected[k])) whole = 0;
        for (int s = 0; s < 3; s++)
            for (int i = 0; i < ASKED; i++) {
                float *p = &expected[k][s][2 * i];
                whole &= p[0] >= 0 && p[1] >= 0 && fabsf(p[0] + p[1] - 1) < 1e-5;
                right &= s == DARKNET_META_RUNNING || (p[i % 2] > p[1 - i % 2]);
            }
    }
    say(whole, "every answer has probabilities that sum to 1");
    say(right, "light and dark images are told apart under support and batch statistics");
    say(memcmp(expected[0], expected[1], sizeof expected[0]) != 0, "other support images give another classifier");
    say(memcmp(expected[0][DARKNET_META_SUPPORT], expected[0][DARKNET_META_RUNNING], sizeof expected[0][0]) != 0, "support and running statistics give different answers");
}

static void check_pixels(void)
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_classifier *c;
    darknet_meta_error error;
    unsigned char bytes[PIXELS];
    float floats[PIXELS], p[2], q[2], alone[2], all[ASKED * 2];
    double before, after;
    make(image, 0);
    if (darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 5, &error)) { say(0, error.text); return; }
    for (int i = 0; i < PIXELS; i++) {
        bytes[i] = i * 37 % 256;
        floats[i] = bytes[i] / 255.f;
    }
    darknet_meta_image as_bytes = { DARKNET_META_BYTES, SIDE, SIDE, 1, bytes }, as_floats = { DARKNET_META_FLOATS, SIDE, SIDE, 1, floats };
    say(!darknet_meta_predict(c, &as_bytes, 1, DARKNET_META_SUPPORT, p, &error) && !darknet_meta_predict(c, &as_floats, 1, DARKNET_META_SUPPORT, q, &error)
        && !memcmp(p, q, sizeof p), "pixels as bytes and as floats get the same answer");
    say(!darknet_meta_predict(c, image + KNOWN, ASKED, DARKNET_META_SUPPORT, all, &error)
        && !darknet_meta_predict(c, image + KNOWN + 1, 1, DARKNET_META_SUPPORT, alone, &error) && fabsf(alone[0] - all[2]) < 1e-5,
        "an image gets the same answer alone and among others");
    double odds[2 * ASKED];
    int agree = !darknet_meta_log_odds(c, image + KNOWN, ASKED, DARKNET_META_SUPPORT, odds, &error);
    for (int i = 0; i < 2 * ASKED; i++) agree &= fabs(1 / (1 + exp(-odds[i])) - all[i]) < 1e-7;
    for (int i = 0; i < ASKED; i++) agree &= odds[2 * i] == -odds[2 * i + 1];
    say(agree, "log-odds are those of the probabilities");
    unsigned char *large = malloc(4 * PIXELS);
    for (int y = 0; y < 2 * SIDE; y++)
        for (int x = 0; x < 2 * SIDE; x++) large[y * 2 * SIDE + x] = bytes[y / 2 * SIDE + x / 2];
    darknet_meta_image doubled = { DARKNET_META_BYTES, 2 * SIDE, 2 * SIDE, 1, large };
    say(!darknet_meta_predict(c, &doubled, 1, DARKNET_META_SUPPORT, q, &error) && fabsf(p[0] - q[0]) < 1e-4, "an image of bytes that is twice as large is shrunk");
    free(large);
    darknet_meta_losses(c, &before, &after);
    say(after > 0 && after < before, "adapting lowers the support loss");
    darknet_meta_classifier_free(c);
}

/* Says whether `status` is a failure whose one line has `what` in it. */
static void refuses(int status, const darknet_meta_error *error, const char *what)
{
    char line[600];
    snprintf(line, sizeof line, "error: %s", what);
    say(status == -1 && strstr(error->text, what) && !strchr(error->text, '\n'), line);
    if (status == -1 && !strstr(error->text, what)) printf("    | %s\n", error->text);
}

static void check_files(const char *name)
{
    darknet_meta_image image[KNOWN + ASKED];
    darknet_meta_classifier *c, *again;
    darknet_meta_error error;
    char cfg[500], weights[500];
    float p[2][2 * ASKED];
    double before, after;
    make(image, 0);
    snprintf(cfg, sizeof cfg, "%s.cfg", name);
    snprintf(weights, sizeof weights, "%s.weights", name);
    if (darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 5, &error)) { say(0, error.text); return; }
    for (int s = DARKNET_META_SUPPORT; s <= DARKNET_META_RUNNING; s++) {
        int status = darknet_meta_save(c, name, s, &error) || darknet_meta_open(&again, cfg, weights, &error);
        if (status) { say(0, error.text); continue; }
        say(darknet_meta_classes(again) == 2 && !darknet_meta_predict(c, image + KNOWN, ASKED, s, p[0], &error)
            && !darknet_meta_predict(again, image + KNOWN, ASKED, DARKNET_META_SUPPORT, p[1], &error), "a classifier is saved and opened");
        float most = 0;
        for (int i = 0; i < 2 * ASKED; i++) most = fmaxf(most, fabsf(p[0][i] - p[1][i]));
        say(most < 1e-5, s == DARKNET_META_SUPPORT ? "saved with support statistics, it answers the same" : "saved with running statistics, it answers the same");
        darknet_meta_losses(again, &before, &after);
        say(before != before && after != after, "an opened classifier has no losses");
        darknet_meta_classifier_free(again);
    }
    refuses(darknet_meta_save(c, name, DARKNET_META_BATCH, &error), &error, "can't hold a batch's statistics");
    refuses(darknet_meta_save(c, "/nowhere/x", DARKNET_META_SUPPORT, &error), &error, "/nowhere/x.weights: can't create");
    darknet_meta_classifier_free(c);
}

static void check_errors(void)
{
    darknet_meta_image image[KNOWN + ASKED], bad;
    darknet_meta_classifier *c = NULL;
    darknet_meta_model *m = NULL;
    darknet_meta_error e;
    int wrong[KNOWN] = { 0, 1, 2, 0 }, one[KNOWN] = { 0 };
    float p[2 * ASKED];
    make(image, 0);
    refuses(darknet_meta_load(&m, "/nowhere.cfg", weights_path, &e), &e, "/nowhere.cfg: No such file");
    refuses(darknet_meta_load(&m, cfg_path, cfg_path, &e), &e, "bytes");
    say(darknet_meta_load(&m, "/nowhere.cfg", weights_path, NULL) == -1 && !m, "loading fails without a place for the error");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, wrong, KNOWN, 2 }, 1, &e), &e, "label 2 of image 2: must be 0 to 1");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, one, KNOWN, 2 }, 1, &e), &e, "class 1 has no image");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 3 }, 1, &e), &e, "3 classes: must be 2");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, 0, 2 }, 1, &e), &e, "0 images: must be");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, -2, &e), &e, "-2 steps: must be");
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1001, &e), &e, "1001 steps: must be at most 1000");
    bad = image[1]; image[1].channels = 3;
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e), &e, "image 1: 3 channels: must be the network's 1");
    image[1] = bad; image[1].pixels = NULL;
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e), &e, "image 1: 12x12 pixels at NULL");
    image[1] = bad; image[1].width = 13;
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e), &e, "image 1: 13x12 floats: must be the network's 12x12");
    image[1] = bad; image[1].kind = (enum darknet_meta_pixels)7;
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e), &e, "image 1: kind 7: must be");
    float nan_pixels[PIXELS] = { NAN };
    image[1] = bad; image[1].pixels = nan_pixels;
    refuses(darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e), &e, "image 1: has the value nan: must be 0 to 1");
    image[1] = bad;
    say(!c, "a refused adaptation hands out no classifier");
    if (darknet_meta_adapt(&c, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, 1, &e)) { say(0, e.text); return; }
    refuses(darknet_meta_predict(c, image, 0, DARKNET_META_SUPPORT, p, &e), &e, "0 images: must be at least 1");
    refuses(darknet_meta_predict(c, image, 1, DARKNET_META_BATCH, p, &e), &e, "1 images: must be at least 2");
    refuses(darknet_meta_predict(c, image, 1, (enum darknet_meta_statistics)9, p, &e), &e, "statistics 9: must be");
    darknet_meta_classifier_free(c);
    darknet_meta_classifier_free(NULL);
    darknet_meta_free(NULL);
}

int main(int argc, char **argv)
{
    darknet_meta_error error;
    darknet_meta_classifier *last;
    darknet_meta_image image[KNOWN + ASKED];
    float p[2 * ASKED];
    if (argc != 4) return 2;
    cfg_path = argv[1];
    weights_path = argv[2];
    adaptations = atoi(argv[3]);
    srand(3);
    for (int k = 0; k < KINDS; k++)                    /* even ones dark, odd ones light */
        for (int i = 0; i < KNOWN + ASKED; i++)
            for (int j = 0; j < PIXELS; j++) pixels[k][i][j] = (i % 2 ? .55f : .05f) + .4f * (rand() % 1000) / 1000;
    if (darknet_meta_load(&model, cfg_path, weights_path, &error)) { say(0, error.text); return 1; }
    say(darknet_meta_version() >= DARKNET_META_VERSION && darknet_meta_width(model) == SIDE && darknet_meta_height(model) == SIDE
        && darknet_meta_channels(model) == 1 && darknet_meta_most_classes(model) == 2, "the model is what its .cfg says");
    check_answers();
    check_pixels();
    check_errors();
    check_files("saved");
    int differ = on_threads();
    long after_first = resident();
    say(!differ, "four threads at once get the answers of one, bit for bit");
    differ = on_threads();
    long grown = resident() - after_first;
    char line[100];
    snprintf(line, sizeof line, "%d adaptations more take no more memory (%ld kB)", adaptations, grown / 1024);
    say(!differ && grown < (1 << 20), line);
    make(image, 0);
    if (darknet_meta_adapt(&last, model, &(darknet_meta_support){ image, labels, KNOWN, 2 }, DARKNET_META_STEPS, &error)) return 1;
    darknet_meta_free(model);
    say(!darknet_meta_predict(last, image + KNOWN, ASKED, DARKNET_META_SUPPORT, p, &error)
        && !memcmp(p, expected[0][DARKNET_META_SUPPORT], sizeof p), "a classifier outlives its model");
    darknet_meta_classifier_free(last);
    return failures > 0;
}
