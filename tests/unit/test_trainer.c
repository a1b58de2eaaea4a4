/* A training without its command: the names of its files, what it does where a training of its name
   has been, resuming and forking, how long it goes on, and when the valid list is watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

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

static void write_cfg(const struct place *p, const char *more_net, const char *more_episode,
                      const char *loss)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", head, more_net, episode, more_episode, layers,
             pairs, loss);
    write_text(p->cfg, text);
}

static void write_data(const struct place *p, const char *valid)
{
    char text[3000];
    snprintf(text, sizeof text, "classes=%d\nlabels=%s\ntrain=%s\n%s%s\nbackup=%s/backup//\n",
             CLASSES, scratch("labels"), scratch("train.list"), valid ? "valid=" : "",
             valid ? scratch(valid) : "", p->folder);
    write_text(p->data, text);
}

static struct place make_place(const char *name)
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

static struct meta_training_settings settings(const struct place *p)
{
    return (struct meta_training_settings){ .kind = META_TRAINING_TASKS,
                                            .data = p->data,
                                            .cfg = p->cfg,
                                            .backend = meta_backend_default(),
                                            .seed = 5,
                                            .threads = 2,
                                            .valid_runs = 4 };
}

static struct meta_trainer *opened(const struct meta_training_settings *s)
{
    struct meta_trainer *t;
    if (meta_trainer_open(&t, s, &error)) fail_msg("%s", error.text);
    return t;
}

/* text: what the message must hold. */
static void refused(const struct meta_training_settings *s, const char *text)
{
    struct meta_trainer *t = NULL;
    if (!meta_trainer_open(&t, s, &error)) fail_msg("not refused: %s", text);
    if (!strstr(error.text, text)) fail_msg("%s: must have: %s", error.text, text);
    assert_null(t);
}

/* Iterations up to number `last`. */
static void iterate(struct meta_trainer *t, uint64_t last)
{
    struct meta_row row;
    while (meta_trainer_done(t) < last)
        if (meta_trainer_step(t, &row, &error) || meta_trainer_log(t, &row, &error))
            fail_msg("%s", error.text);
}

static void close_saved(struct meta_trainer *t)
{
    if (meta_trainer_save(t, &error)) fail_msg("%s", error.text);
    meta_trainer_free(t);
}

/* Trains up to iteration `last` with these settings, and saves. */
static void train(const struct meta_training_settings *s, uint64_t last)
{
    struct meta_trainer *t = opened(s);
    iterate(t, last);
    close_saved(t);
}

/* Parameters, statistics and logs of the two are the same to the bit, but for the logs' times. */
static void assert_same(const struct meta_trainer *a, const struct meta_trainer *b)
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

static int exists(const struct place *p, const char *name)
{
    char path[500];
    snprintf(path, sizeof path, "%s/backup/%s", p->folder, name);
    return !access(path, F_OK);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void files_are_named_after_the_cfg(void **state)
{
    static const char *const names[META_TRAINING_FILES] = { "toy.state", "toy.backup",
                                                            "toy_final.weights", "toy.csv",
                                                            "chart_toy.png" };
    char *path, expected[500];
    assert_int_equal(meta_training_numbered(&path, "a/b", "net", 1000, &error), 0);
    assert_string_equal(path, "a/b/net_1000.weights");
    free(path);
    assert_int_equal(meta_training_numbered(&path, "a/b", "net", 0, &error), 0);
    assert_string_equal(path, "a/b/net_");
    free(path);
    assert_int_equal(meta_training_log_of(&path, "x/net.state", &error), 0);
    assert_string_equal(path, "x/net.csv");
    free(path);
    assert_int_equal(meta_training_log_of(&path, "x/net.point", &error), 0);
    assert_null(path);

    struct place p = make_place("names");
    struct meta_training_settings s = settings(&p);
    struct meta_trainer *t = opened(&s);
    for (int file = 0; file < META_TRAINING_FILES; file++) {
        snprintf(expected, sizeof expected, "%s/backup/%s", p.folder, names[file]);
        assert_string_equal(meta_trainer_path(t, file), expected);
    }
    iterate(t, 2);
    assert_int_equal(meta_trainer_save_numbered(t, &error), 0);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    assert_int_equal(exists(&p, "toy.state"), 0);
    close_saved(t);
    static const char *const saved[] = { "toy_2.weights", "toy_final.weights", "toy.state",
                                         "toy.backup", "toy.csv" };
    for (int i = 0; i < 5; i++)
        if (!exists(&p, saved[i])) fail_msg("%s is not there", saved[i]);
}

static void an_error_leaves_no_file(void **state)
{
    struct place p = make_place("errors");
    struct meta_training_settings s = settings(&p);
    s.resume = 1;
    refused(&s, "backup/toy.state: No such file");
    s.resume = 0;
    write_cfg(&p, "", "sampler=elsewhere\n", "");
    refused(&s, "sampler=elsewhere");
    char backup[420];
    snprintf(backup, sizeof backup, "%s/backup", p.folder);
    assert_int_equal(access(backup, F_OK), -1);
}

static void one_training_of_a_name_at_a_time(void **state)
{
    struct place p = make_place("locked");
    struct meta_training_settings s = settings(&p);
    struct meta_trainer *t = opened(&s);
    refused(&s, "toy.csv: another training of this name is running here");
    meta_trainer_free(t);
    meta_trainer_free(opened(&s));
}

static void a_longer_training_is_kept(void **state)
{
    struct place p = make_place("kept");
    struct meta_training_settings s = settings(&p);
    static const struct {
        int last, aside;
    } trainings[] = { { 4, 0 }, { 2, 4 }, { 3, 0 }, { 6, 0 }, { 1, 6 } };
    for (int i = 0; i < 5; i++) {
        struct meta_trainer *t = opened(&s);
        assert_int_equal(meta_trainer_aside_iteration(t), trainings[i].aside);
        iterate(t, trainings[i].last);
        close_saved(t);
        assert_int_equal(exists(&p, "toy.state.old"), i > 0);
        assert_int_equal(exists(&p, "toy.csv.old"), i > 0);
    }
    char log[500];
    snprintf(log, sizeof log, "%s/backup/toy.csv", p.folder);
    write_text(log, "image,group\nc0,1\n");
    refused(&s, "toy.csv:1: is not the header of a training's log");
}

/* ---- going on -------------------------------------------------------------------------------- */

/* In three parts of other threads each, against the whole. */
static void resumes_as(struct place *parted, struct place *whole, enum meta_training_kind kind,
                       const struct meta_backend *backend)
{
    struct meta_training_settings a = settings(whole), b = settings(parted);
    a.kind = b.kind = kind;
    a.backend = b.backend = backend;
    struct meta_trainer *unbroken = opened(&a);
    iterate(unbroken, 8);
    b.threads = 1;
    train(&b, 3);
    b.resume = 1;
    b.threads = 3;
    b.max_batches = 6;
    train(&b, 6);
    b.max_batches = 8;
    struct meta_trainer *t = opened(&b);
    assert_int_equal(meta_trainer_done(t), 6);
    iterate(t, 8);
    assert_same(t, unbroken);
    meta_trainer_free(t);
    meta_trainer_free(unbroken);
}

static void a_resumed_training_is_the_unbroken_one(void **state)
{
    struct place parted = make_place("parted"), whole = make_place("whole");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_default());
    parted = make_place("parted_double");
    whole = make_place("whole_double");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_exact());
}

static void a_curriculum_is_resumed(void **state)
{
    struct place parted = make_place("parted_kinds"), whole = make_place("whole_kinds");
    write_cfg(&parted, "", "sampler=curriculum\n", "");
    write_cfg(&whole, "", "sampler=curriculum\n", "");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_default());
}

static void supervised_training_is_resumed(void **state)
{
    struct place parted = make_place("parted_images"), whole = make_place("whole_images");
    char text[2000];
    snprintf(text, sizeof text,
             "%sbatch=6\nsubdivisions=2\n%s[connected]\noutput=%d\nactivation=linear\n[softmax]\n",
             head, layers, TRAINED);
    write_text(parted.cfg, text);
    write_text(whole.cfg, text);
    resumes_as(&parted, &whole, META_TRAINING_IMAGES, meta_backend_default());
}

static void what_changed_is_not_resumed(void **state)
{
    struct place p = make_place("changed");
    struct meta_training_settings s = settings(&p);
    train(&s, 2);
    s.resume = 1;
    s.seed = 6;
    refused(&s, "toy.state: can't resume: -seed is 6, but was 5 in the checkpoint");
    s.seed = 5;
    write_cfg(&p, "B1=.8\n", "", difficulty);
    refused(&s, "toy.state: can't resume: [net] B1");
    write_cfg(&p, "", "", difficulty);
    struct meta_trainer *t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 2);
    assert_int_equal(meta_trainer_aside_iteration(t), 0);
    meta_trainer_free(t);
}

/* A training of the mean up to iteration 4 is the beginning of one that weighs tasks from 5 on. */
static void forks_where_meta_loss_begins_to_weigh(void **state)
{
    struct place mean = make_place("mean"), whole = make_place("unforked"),
                 fork = make_place("fork");
    struct meta_training_settings m = settings(&mean), w = settings(&whole), f = settings(&fork);
    char point[420];
    snprintf(point, sizeof point, "%s/backup/toy.state", mean.folder);
    write_cfg(&mean, "", "", "");
    train(&m, 4);
    struct meta_trainer *unbroken = opened(&w);
    iterate(unbroken, 8);
    f.fork = point;
    struct meta_trainer *t = opened(&f);
    assert_int_equal(meta_trainer_done(t), 4);
    iterate(t, 8);
    assert_same(t, unbroken);
    close_saved(t);
    close_saved(unbroken);

    f.seed = 6;
    refused(&f, "toy.state: can't fork: -seed is 6, but was 5 in the checkpoint");
    f.seed = 5;
    m.resume = 1;
    train(&m, 5);
    refused(&f, "toy.state: can't fork: it is at iteration 5, and [meta_loss] of ");
    snprintf(point, sizeof point, "%s/backup/toy.state", whole.folder);
    refused(&f, "toy.state: can't fork: its [meta_loss] weighs tasks since iteration 5");
}

/* ---- how long -------------------------------------------------------------------------------- */

static void max_batches_end_a_training(void **state)
{
    struct place p = make_place("ends");
    struct meta_training_settings s = settings(&p);
    char weights[440];
    struct meta_trainer *t = opened(&s);
    assert_int_equal(meta_trainer_total(t), 8);
    meta_trainer_free(t);
    s.max_batches = 3;
    t = opened(&s);
    assert_int_equal(meta_trainer_total(t), 3);
    iterate(t, 3);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    close_saved(t);
    s.resume = 1;
    s.max_batches = 2;
    refused(&s, "toy.state: is at iteration 3, past max_batches=2");
    /* weights have seen 3 iterations of 2 tasks of 2 * 5 images */
    s.resume = 0;
    s.weights = weights;
    snprintf(weights, sizeof weights, "%s/backup/toy_final.weights", p.folder);
    s.max_batches = 3;
    refused(&s, "has seen 60 images, iteration 3 of 3: nothing is left to train");
    s.max_batches = 4;
    t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 3);
    meta_trainer_free(t);
    s.clear = 1;
    s.max_batches = 3;
    t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 0);
    meta_trainer_free(t);
    s = settings(&p);
    write_cfg(&p, "max_batches=0\n", "", "");
    refused(&s, "max_batches");
}

/* ---- the valid list -------------------------------------------------------------------------- */

static void count_steps(void *context, int done) { *(int *)context += 1; }

static void the_valid_list_is_due(void **state)
{
    struct place p = make_place("valid");
    struct meta_training_settings s = settings(&p);
    struct meta_row row;
    s.valid_every = 3;
    struct meta_trainer *t = opened(&s);
    assert_true(meta_trainer_watches(t));
    assert_int_equal(meta_trainer_valid_steps(t), s.valid_runs);
    assert_non_null(meta_trainer_valid_set(t));
    while (meta_trainer_done(t) < 8) {
        assert_int_equal(meta_trainer_step(t, &row, &error), 0);
        assert_true(row.auc != row.auc);
        int due = row.iteration % 3 == 0 || row.iteration == 8, steps = 0;
        assert_int_equal(meta_trainer_valid_due(t), due);
        if (!due) continue;
        struct meta_estimate e = meta_trainer_watch(t, &row, count_steps, &steps);
        assert_int_equal(steps, s.valid_runs);
        assert_int_equal(e.n, s.valid_runs);
        assert_true(row.auc == e.mean && row.auc >= 0 && row.auc <= 1);
        assert_true(row.low == e.low && row.high == e.high);
    }
    meta_trainer_free(t);
}

/* Watching draws no random number that training draws. */
static void watching_changes_nothing(void **state)
{
    struct place p = make_place("watched"), q = make_place("unwatched");
    struct meta_training_settings s = settings(&p), u = settings(&q);
    struct meta_row row;
    s.valid_every = 1;
    struct meta_trainer *t = opened(&s), *plain = opened(&u);
    assert_false(meta_trainer_watches(plain));
    assert_null(meta_trainer_valid_set(plain));
    for (int i = 0; i < 3; i++) {
        iterate(t, i + 1);
        meta_trainer_watch(t, &row, NULL, NULL);
    }
    iterate(plain, 3);
    assert_false(meta_trainer_valid_due(plain));
    assert_same(t, plain);
    meta_trainer_free(t);
    meta_trainer_free(plain);
}

static void a_valid_list_that_is_missing(void **state)
{
    struct place p = make_place("no_valid");
    struct meta_training_settings s = settings(&p);
    write_data(&p, NULL);
    s.valid_every = 3;
    struct meta_trainer *t = opened(&s);
    assert_false(meta_trainer_watches(t));
    meta_trainer_free(t);
    s.valid_asked = 1;
    refused(&s, "toy.data: has no valid=, which -valid_every needs");
}

/* ---- the images ------------------------------------------------------------------------------ */

/* Four classes to train on and two to watch, of 8 gray images each. */
static int make_images(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_named_after_the_cfg),
        cmocka_unit_test(an_error_leaves_no_file),
        cmocka_unit_test(one_training_of_a_name_at_a_time),
        cmocka_unit_test(a_longer_training_is_kept),
        cmocka_unit_test(a_resumed_training_is_the_unbroken_one),
        cmocka_unit_test(a_curriculum_is_resumed),
        cmocka_unit_test(supervised_training_is_resumed),
        cmocka_unit_test(what_changed_is_not_resumed),
        cmocka_unit_test(forks_where_meta_loss_begins_to_weigh),
        cmocka_unit_test(max_batches_end_a_training),
        cmocka_unit_test(the_valid_list_is_due),
        cmocka_unit_test(watching_changes_nothing),
        cmocka_unit_test(a_valid_list_that_is_missing),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
