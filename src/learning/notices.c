/* Tells which settings of a .cfg do something else than they seem to. */
#include "notices.h"
#include "inner_loop.h"
#include "policy.h"
#include "weigh.h"
#include "network/turns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An iteration after every `start`. */
#define LAST 2000000000

enum { ROOM = 400 };

/* The value of an option of a plugin's section; NaN where it has none of that name. */
static double option(const struct meta_plugin *p, const void *settings, const char *name)
{
    for (const struct meta_option *o = p->options; o->name; o++) {
        const void *field = (const char *)settings + o->offset;
        if (strcmp(o->name, name)) continue;
        if (o->type == META_INT) return *(const int *)field;
        if (o->type == META_REAL) return *(const double *)field;
    }
    return NAN;
}

static void notice_rate(const struct meta_model *m, char *text)
{
    const struct meta_net_settings *net = &m->net;
    if (net->policy != META_POLICY_SIGMOID || net->step < 2 || net->gamma <= 0) return;
    snprintf(text, ROOM,
             "%s: [net] policy=sigmoid: the rate is 0 before iteration step=%d, as in Darknet: "
             "nothing is learned until then",
             m->path, net->step);
}

static void notice_crops(const struct meta_model *m, char *text)
{
    const struct meta_net_settings *net = &m->net;
    int least = net->min_crop < net->max_crop ? net->min_crop : net->max_crop,
        most = net->width > net->height ? net->width : net->height;
    if (least >= most) return;
    snprintf(text, ROOM,
             "%s: [net] min_crop=%d is less than the network's %dx%d: images shrunk below that "
             "have black edges in training",
             m->path, least, net->width, net->height);
}

/* By guessing a task's loss is ln(ways), which passes 1 with three ways. */
static void notice_cap(const struct meta_model *m, char *text)
{
    double ignored, ways = m->episode ? m->episode->ways : 0, chance = log(ways),
                    epsilon = m->loss ? option(m->loss, m->loss_settings, "epsilon") : NAN;
    if (m->purpose == META_FOR_IMAGES || isnan(epsilon) || !meta_weighs(m, LAST)
        || chance <= 1 - epsilon)
        return;
    snprintf(text, ROOM,
             "%s: [%s] guessing among %.0f ways has a loss of ln %.0f = %.2f, above 1: there 1-L "
             "is "
             "taken as epsilon=%g and a task weighs %.3g; a larger epsilon lowers that",
             m->path, m->loss->name, ways, ways, chance, epsilon,
             meta_weigh(m, chance, LAST, &ignored));
}

static void notice_start(const struct meta_model *m, char *text)
{
    double start = m->loss ? option(m->loss, m->loss_settings, "start") : NAN;
    if (m->purpose == META_FOR_IMAGES || !(start > 0) || meta_weighs(m, LAST)) return;
    snprintf(text, ROOM,
             "%s: [%s] start=%.0f has no effect: its type weighs all tasks alike from the "
             "beginning",
             m->path, m->loss->name, start);
}

/* What a loss that weighs all tasks alike does not read: the first option that is not as it is
   without being written. */
static void notice_unread(const struct meta_model *m, char *text)
{
    if (m->purpose == META_FOR_IMAGES || !m->loss || meta_weighs(m, LAST)) return;
    for (const struct meta_option *o = m->loss->options; o && o->name; o++) {
        double value = o->type == META_REAL ? option(m->loss, m->loss_settings, o->name) : NAN;
        if (isnan(value) || value == o->fallback) continue;
        snprintf(text, ROOM, "%s: [%s] %s=%g has no effect: its type weighs all tasks alike",
                 m->path, m->loss->name, o->name, value);
        return;
    }
}

static void notice_sampler(const struct meta_model *m, char *text)
{
    const struct meta_episode_settings *e = m->episode;
    if (m->purpose == META_FOR_IMAGES || !e || e->sampler == META_CURRICULUM) return;
    if (e->window > 0 && e->window != 10)
        snprintf(text, ROOM, "%s: [episode] window=%d has no effect without sampler=curriculum",
                 m->path, e->window);
    else if (e->explore > 0 && e->explore != .1)
        snprintf(text, ROOM, "%s: [episode] explore=%g has no effect without sampler=curriculum",
                 m->path, e->explore);
}

static void notice_burn_in(const struct meta_model *m, char *text)
{
    const struct meta_net_settings *net = &m->net;
    if (!net->max_batches || net->burn_in <= net->max_batches) return;
    snprintf(text, ROOM,
             "%s: [net] burn_in=%d is past max_batches=%d: the rate never grows to "
             "learning_rate=%g: lower burn_in, or raise max_batches",
             m->path, net->burn_in, net->max_batches, net->learning_rate);
}

static void notice_normalise(const struct meta_model *m, char *text)
{
    if (m->purpose == META_FOR_IMAGES || !meta_weigh_normalises(m)) return;
    if (!meta_weighs(m, LAST))
        snprintf(text, ROOM, "%s: [%s] normalise=1 has no effect: its type weighs all tasks alike",
                 m->path, m->loss->name);
    else if (m->episode && m->episode->tasks == 1)
        snprintf(text, ROOM,
                 "%s: [%s] normalise=1 with tasks=1 in [episode]: the weight of a task alone is 1, "
                 "however hard it is",
                 m->path, m->loss->name);
}

static void notice_late_start(const struct meta_model *m, char *text)
{
    double start = m->loss ? option(m->loss, m->loss_settings, "start") : NAN;
    if (m->purpose == META_FOR_IMAGES || !(start > m->net.max_batches) || !meta_weighs(m, LAST))
        return;
    snprintf(text, ROOM,
             "%s: [%s] start=%.0f is past max_batches=%d: tasks are never weighted: "
             "lower start, or raise max_batches",
             m->path, m->loss->name, start, m->net.max_batches);
}

static void notice_late_order(const struct meta_model *m, char *text)
{
    if (m->purpose == META_FOR_IMAGES || m->inner->order < 2
        || m->inner->second_order_start <= m->net.max_batches)
        return;
    snprintf(text, ROOM,
             "%s: [%s] second_order_start=%d is past max_batches=%d: the exact meta-gradient is "
             "never used: lower it, or write order=1",
             m->path, meta_inner_name(m->inner), m->inner->second_order_start, m->net.max_batches);
}

static void notice_order(const struct meta_model *m, char *text)
{
    const struct meta_inner_settings *s = m->inner;
    if (m->purpose == META_FOR_IMAGES || s->order == 2) return;
    if (s->second_order_start)
        snprintf(text, ROOM,
                 "%s: [%s] second_order_start=%d has no effect with order=%d: no meta-gradient is "
                 "exact: order=2 makes those from there on exact",
                 m->path, meta_inner_name(m->inner), s->second_order_start, s->order);
    else if (s->keep)
        snprintf(text, ROOM,
                 "%s: [%s] keep=%d has no effect with order=%d: no steps are kept in memory",
                 m->path, meta_inner_name(m->inner), s->keep, s->order);
}

static void notice_kept_head(const struct meta_model *m, char *text)
{
    const struct meta_inner inner = meta_inner_of(m->inner, 1, 1);
    if (m->purpose == META_FOR_IMAGES || !inner.head || inner.order < 2 || !inner.keep
        || inner.steps < 2 || meta_inner_keeps_steps(m->network, &inner))
        return;
    snprintf(text, ROOM,
             "%s: [%s] keep=%d has no effect with adapt=head: the steps have one pass of the "
             "layers below in common, which alone is kept in memory",
             m->path, meta_inner_name(m->inner), inner.keep);
}

static void notice_multi_step(const struct meta_model *m, char *text)
{
    const struct meta_inner_settings *s = m->inner;
    if (m->purpose == META_FOR_IMAGES || !s->multi_step || s->steps > 1) return;
    snprintf(text, ROOM,
             "%s: [%s] multi_step=%d has no effect with steps=%d: there is no earlier step",
             m->path, meta_inner_name(m->inner), s->multi_step, s->steps);
}

static void notice_head(const struct meta_model *m, char *text)
{
    if (m->purpose == META_FOR_IMAGES || m->inner->adapt != META_ADAPT_HEAD) return;
    const struct meta_layer *l = meta_rates_head(m->network);
    if (l->plugin)
        snprintf(text, ROOM,
                 "%s:%d: [%s] is the last layer with parameters: adapt=head of [%s] moves it, and "
                 "no layer before it",
                 m->path, l->line, meta_layer_name(l), meta_inner_name(m->inner));
}

static void notice_late_steps(const struct meta_model *m, char *text)
{
    const struct meta_net_settings *net = &m->net;
    double last = net->steps.count ? net->steps.values[net->steps.count - 1] : 0;
    if (net->policy != META_POLICY_STEPS || !net->steps.count || last <= net->max_batches) return;
    snprintf(text, ROOM,
             "%s: [net] steps=%.0f is past max_batches=%d: the rate is never lowered there: lower "
             "steps, or raise max_batches",
             m->path, last, net->max_batches);
}

static int has_rotations(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++)
        if (net->layers[i].rotations == 4) return 1;
    return 0;
}

static void notice_rotations(const struct meta_model *m, char *text)
{
    const struct meta_network *net = m->network;
    if (!net || !has_rotations(net)) return;
    const struct meta_layer *l = meta_turns_lopsided(net), *last = &net->layers[net->count - 1];
    while (last > net->layers && !last[-1].turns) last--;
    if (last->turns != 1)
        snprintf(text, ROOM,
                 "%s:%d: [%s]: its outputs change when the image turns, in spite of rotations=4 "
                 "before it: a [connected] with rotations=4 gives outputs that do not",
                 m->path, last->line, meta_layer_name(last));
    else if (net->input.w != net->input.h)
        snprintf(text, ROOM, "%s: [net] %dx%d is no square: a turned image is another one", m->path,
                 net->input.w, net->input.h);
    else if (l)
        snprintf(text, ROOM,
                 "%s:%d: [%s] covers one side of its %dx%d maps otherwise than the other: the "
                 "outputs of a turned image differ, in spite of rotations=4",
                 m->path, l->line, meta_layer_name(l), l->in.w, l->in.h);
}

/* Adam's steps are the same. */
static void notice_cost(const struct meta_model *m, char *text)
{
    if (m->purpose != META_FOR_IMAGES || !m->cost_line || m->net.adam) return;
    snprintf(text, ROOM,
             "%s:%d: [cost] is left out: in Darknet it adds the gradient of the [softmax] once "
             "more: twice the learning_rate and half the decay make the same steps",
             m->path, m->cost_line);
}

/* The support images that a gradient is taken through together; 0: none is. Below order 2 the steps
   of a head alone need none of the layers before it. */
static int support_images(const struct meta_model *m)
{
    const struct meta_inner_settings *s = m->inner;
    int deep = s->steps && (s->order == 2 || s->adapt != META_ADAPT_HEAD);
    return deep || s->head == META_HEAD_IMPRINTED ? m->episode->ways * m->episode->shots : 0;
}

/* The same of the query images, which Reptile only scores. A network that pairs sees both kinds in
   one pass. */
static int query_images(const struct meta_model *m)
{
    const struct meta_episode_settings *e = m->episode;
    return m->inner->order ? e->ways * (e->queries + (m->network->ways ? e->shots : 0)) : 0;
}

static void tell_two_values(const struct meta_model *m, int images, const char *what, char *text)
{
    const struct meta_layer *l = meta_network_few_values(m->network, images, 2);
    if (!l) return;
    snprintf(text, ROOM,
             "%s:%d: [%s] batch_normalize=1: %d %s x a map of %dx%d = 2 values a channel, .7 and "
             "-.7 once they are normalised together, however far apart they were: its weights and "
             "the layers before it hardly learn from them; from 3 values on they do",
             m->path, l->line, meta_layer_name(l), images, what, l->out.w, l->out.h);
}

static void notice_two_values(const struct meta_model *m, char *text)
{
    if (m->purpose == META_FOR_IMAGES) {
        int images = m->net.batch / m->net.subdivisions;
        tell_two_values(m, images, images == 1 ? "image a part" : "images a part", text);
        return;
    }
    if (!m->episode) return;
    tell_two_values(m, support_images(m), "support images", text);
    if (!*text) tell_two_values(m, query_images(m), "query images", text);
}

void meta_notices(const struct meta_model *m, void (*say)(void *, const char *), void *context)
{
    static void (*const all[])(const struct meta_model *, char *) = {
        notice_rate,      notice_crops,      notice_cap,       notice_start,     notice_late_start,
        notice_normalise, notice_late_order, notice_order,     notice_kept_head, notice_multi_step,
        notice_head,      notice_late_steps, notice_unread,    notice_sampler,   notice_burn_in,
        notice_rotations, notice_cost,       notice_two_values
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[ROOM] = "";
        all[i](m, text);
        if (*text) say(context, text);
    }
}
