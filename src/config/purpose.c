/* Checks a model against what its network is used for: tasks, mini-batches of images, or
   anything. */
#include "purpose.h"

#include <string.h>

/* The line of an option; where the section lacks the option, of the section; without a section, of
   the layer that asks. */
static int option_line(const struct meta_section *s, const char *key, int layer_line)
{
    for (int i = 0; s && i < s->count; i++)
        if (!strcmp(s->pairs[i].key, key)) return s->pairs[i].line;
    return s ? s->line : layer_line;
}

/* A network that pairs takes no inner steps. */
static int check_pairing(const struct meta_model *m, const struct meta_section *section,
                         struct meta_error *error)
{
    const struct meta_network *net = m->network;
    const struct meta_inner_settings *inner = m->inner;
    const struct {
        const char *key;
        int value, must;
    } rows[] = { { "steps", inner->steps, 0 },
                 { "test_steps", inner->test_steps, 0 },
                 { "order", inner->order, 1 } };
    for (size_t i = 0; net->ways && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value != rows[i].must)
            return meta_fail(error,
                             "%s:%d: [%s] %s=%d: must be %d with [%s], which takes no steps in a "
                             "task",
                             m->path,
                             option_line(section, rows[i].key, net->layers[net->pairing].line),
                             section ? section->name : "inner_loop", rows[i].key, rows[i].value,
                             rows[i].must, meta_layer_name(&net->layers[net->pairing]));
    return 0;
}

static int check_imprint(const struct meta_model *m, const struct meta_section *section,
                         struct meta_error *error)
{
    const struct meta_network *net = m->network;
    if (m->inner->head != META_HEAD_IMPRINTED || meta_network_imprints(net)) return 0;
    return meta_fail(error,
                     "%s:%d: [inner_loop] head=imprinted: needs a [connected] right before "
                     "[softmax], with activation=linear and without batch_normalize and rotations",
                     m->path, option_line(section, "head", net->layers[net->count - 1].line));
}

static int check_outputs(const struct meta_model *m, const struct meta_section *episode,
                         struct meta_error *error)
{
    int outputs = meta_network_outputs(m->network);
    int line = m->network->layers[m->network->count - 1].line;
    if (outputs < 2)
        return meta_fail(error, "%s:%d: [softmax]: gives %d probability: must be at least 2",
                         m->path, line, outputs);
    if (outputs == m->episode->ways) return 0;
    return meta_fail(error,
                     "%s:%d: [softmax]: gives %d probabilities, but [%s] has ways=%d: must be "
                     "equal",
                     m->path, line, outputs, episode->name, m->episode->ways);
}

static int check_part(const struct meta_model *m, struct meta_error *error)
{
    int batch = m->net.batch, subdivisions = m->net.subdivisions;
    const struct meta_layer *l = meta_network_few_values(m->network, batch / subdivisions, 1);
    if (!l) return 0;
    return meta_fail(error,
                     "%s:%d: [%s] batch_normalize=1: 1 image a part ([net] batch=%d, "
                     "subdivisions=%d) x a map of 1x1 = 1 value a channel, which is 0 once it is "
                     "normalised by itself: must be at least 2, better 3: of 2 only their order is "
                     "left",
                     m->path, l->line, meta_layer_name(l), batch, subdivisions);
}

static int check_images(const struct meta_model *m, const struct meta_purpose_sections *s,
                        struct meta_error *error)
{
    const struct meta_net_settings *net = &m->net;
    const struct meta_network *network = m->network;
    const struct meta_section *useless = s->inner_loop ? s->inner_loop : s->meta_loss;
    if (useless)
        return meta_fail(error, "%s:%d: [%s]: supervised training has no tasks: leave it out",
                         m->path, useless->line, useless->name);
    if (network->ways)
        return meta_fail(error,
                         "%s:%d: [%s]: pairs the images of a task, and supervised training has no "
                         "tasks: leave it out",
                         m->path, network->layers[network->pairing].line,
                         meta_layer_name(&network->layers[network->pairing]));
    if (net->batch % net->subdivisions)
        return meta_fail(error,
                         "%s:%d: [net] batch=%d, subdivisions=%d: must divide it into equal parts",
                         m->path, option_line(s->net, "subdivisions", 0), net->batch,
                         net->subdivisions);
    return check_part(m, error);
}

/* The section that says that the network is trained on tasks, each with classes of its own; *line
   is its. NULL: none does. [episode] may be that of a classifier which is tested on tasks. */
static const char *section_of_tasks(const struct meta_model *m, int *line)
{
    const struct meta_network *net = m->network;
    if (net->ways) {
        *line = net->layers[net->pairing].line;
        return meta_network_adapts(net) ? meta_layer_name(&net->layers[net->pairing]) : NULL;
    }
    *line = m->episode_line;
    if (*line && m->episode->ways == meta_network_outputs(net)) return "episode";
    *line = m->inner_line ? m->inner_line : m->loss_line;
    return m->inner_line ? m->inner->plugin->name : m->loss_line ? m->loss->name : NULL;
}

int meta_purpose_check_adapted(const struct meta_model *m, const char *instead,
                               struct meta_error *error)
{
    int line;
    const char *section = section_of_tasks(m, &line);
    if (!section) return 0;
    return meta_fail(error,
                     "%s:%d: [%s]: the network learns its %d classes from images of each "
                     "task, its outputs are none yet: %s%s",
                     m->path, line, section, meta_network_outputs(m->network), instead,
                     m->network->ways || m->inner_line || m->loss_line
                         ? ""
                         : "; of weights of `meta pretrain` leave [episode] out");
}

int meta_purpose_check(const struct meta_model *m, const struct meta_purpose_sections *s,
                       struct meta_error *error)
{
    switch (m->purpose) {
    case META_FOR_TASKS:
        return check_outputs(m, s->episode, error) || check_pairing(m, s->inner_loop, error)
                || check_imprint(m, s->inner_loop, error)
            ? -1
            : 0;
    case META_FOR_IMAGES: return check_images(m, s, error);
    case META_FOR_ANY: break;
    }
    return 0;
}
