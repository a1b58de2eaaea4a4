/* A doctor with made-up settings, whose findings are kept; and the small images of its lists. */
#ifndef DOCTOR_RIG_H
#define DOCTOR_RIG_H

#include "base/pool.h"
#include "image_files.h"
#include "tools/doctor/doctor.h"

/* ---- what the doctor said -------------------------------------------------------------------- */

struct finding { enum meta_verdict verdict; char subject[16], text[400]; };
static struct finding findings[64];
static int count;

static inline void keep(void *context, enum meta_verdict verdict, const char *subject, const char *format, va_list arguments)
{
    assert_ptr_equal(context, findings);
    assert_true(count < (int)(sizeof findings / sizeof *findings));
    findings[count].verdict = verdict;
    snprintf(findings[count].subject, sizeof findings->subject, "%s", subject);
    vsnprintf(findings[count].text, sizeof findings->text, format, arguments);
    count++;
}

static inline void print_all(void)
{
    for (int i = 0; i < count; i++) print_error("    %d %s: %s\n", findings[i].verdict, findings[i].subject, findings[i].text);
}

/* Exactly one finding has this verdict, subject and part of the text. */
static inline void said(enum meta_verdict verdict, const char *subject, const char *part)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += findings[i].verdict == verdict && !strcmp(findings[i].subject, subject) && strstr(findings[i].text, part) != NULL;
    if (found == 1) return;
    print_all();
    fail_msg("%d findings: %d %s: %s", found, verdict, subject, part);
}

static inline void said_in_all(int n)
{
    if (count == n) return;
    print_all();
    fail_msg("%d findings in place of %d", count, n);
}

/* ---- made-up settings ------------------------------------------------------------------------ */

static struct meta_episode_settings episode;
static struct meta_inner_settings inner;
static struct meta_network network;
static double steps[2];
static struct meta_model model;
static struct meta_doctor doctor;

/* The [meta_loss] of these tests. */
static struct weighing { double eta; int at; } weighing;
#define start weighing.at
static const struct meta_option options[] = {
    { .name = "eta", .type = META_REAL }, { .name = "start", .type = META_INT, .offset = offsetof(struct weighing, at) }, { .name = NULL }
};
static int weighs = 1;
static double value_of(const void *settings, double l, long iteration) { return l; }
static double weight_of(const void *settings, double l, long iteration) { return weighs && iteration >= start ? 2 : 1; }
static const struct meta_loss_functions functions = { value_of, weight_of, NULL };
static const struct meta_plugin loss = { .name = "meta_loss", .options = options, .loss = &functions };

/* Settings with which nothing is wrong, and nothing said yet. */
static inline void begin(void)
{
    count = 0;
    start = 0;
    episode = (struct meta_episode_settings){ .ways = 2, .shots = 1, .queries = 1, .tasks = 3 };
    inner = (struct meta_inner_settings){ .steps = 2, .test_steps = 3, .order = 2 };
    network = (struct meta_network){ .parameters = 1000, .statistics = 10 };
    steps[0] = 10;
    steps[1] = 20;
    model = (struct meta_model){ .path = "made-up.cfg", .name = "made-up", .network = &network, .episode = &episode, .inner = &inner,
                                 .loss = &loss, .loss_settings = &weighing };
    model.net = (struct meta_net_settings){ .width = 8, .height = 8, .channels = 1, .min_crop = 8, .max_crop = 8, .max_batches = 30, .policy = META_POLICY_STEPS,
                                            .steps = { 2, steps } };
    doctor = (struct meta_doctor){ .print = keep, .context = findings, .model = &model, .threads = 2, .data_path = "x.data",
                                   .cfg_path = "x.cfg" };
}

/* The model is none that meta_model_free knows. */
static inline void end(void)
{
    doctor.model = NULL;
    meta_doctor_clear(&doctor);
    doctor = (struct meta_doctor){ 0 };
}

static inline void look_at_data(const char *text)
{
    write_text("x.data", text);
    begin();
    meta_doctor_data(&doctor);
}

static inline void pgm(const char *path, int side, int seed)
{
    char text[2000];
    int n = snprintf(text, sizeof text, "P5 %d %d 255\n", side, side);
    memset(text + n, 50 + seed, side * side);
    text[n] = 0; /* not plain, or copies of it would be none */
    write_file(path, text, n + side * side);
}

static inline int prepare(void **state)
{
    if (chdir(scratch(""))) return -1;
    for (char class = 'a'; class <= 'd'; class++)
        for (int i = 0; i < 6; i++) {
            char path[] = { class, '_', '0' + i, '.', 'p', 'g', 'm', 0 };
            pgm(path, 8, 6 * class + i - 6 * 'a');
        }
    pgm("large_b_.pgm", 9, 0);
    pgm("large_b_2.pgm", 9, 0);
    pgm("unknown.pgm", 8, 0);
    write_text("cut_a_.pgm", "P5 8 8 255\n");
    write_text("four.labels", "a_\nb_\nc_\nd_\n");
    return link("a_0.pgm", "link_a_0.pgm");
}

#endif
