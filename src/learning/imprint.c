/* Makes the last layer of class means of the support set, and takes its derivative back to the
   layers before. */
#include "imprint.h"

#include <string.h>

/* The last layer, whose parameters are the last of all. */
struct head {
    const struct meta_layer *layer;
    const struct meta_backend *backend;
    int classes;
    size_t inputs;
};

static struct head head_of(const struct meta_worker *w)
{
    const struct meta_layer *l = meta_rates_head(w->network);
    return (struct head){ l, w->backend, l->filters, l->weight_count / l->filters };
}

static void *row(const struct head *h, void *vector, int k)
{
    return (char *)vector + (h->layer->weights + k * h->inputs) * h->backend->element;
}

static void *bias(const struct head *h, void *vector, int k)
{
    return (char *)vector + (h->layer->biases + k) * h->backend->element;
}

static int images_of(const struct meta_worker *w, const struct meta_task *task, int class)
{
    int count = 0;
    for (int i = 0; i < w->inner.support; i++) count += task->support_labels[i] == class;
    return count;
}

/* Passes the support set under phi, without dropout, and marks the label of each image. */
static struct meta_program *pass(struct meta_worker *w, const void *phi,
                                 const struct meta_task *task)
{
    struct meta_program *p = w->support[0];
    int classes = head_of(w).classes;
    meta_program_load(p, task->support, task->support_labels);
    meta_program_shares(p, task->support_shares);
    meta_program_dropout(p, (struct meta_dropout_key){ .train = 0 });
    meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    memset(w->chosen, 0, (size_t)w->inner.support * classes * sizeof *w->chosen);
    for (int i = 0; i < w->inner.support; i++)
        w->chosen[(size_t)i * classes + task->support_labels[i]] = 1;
    return p;
}

const void *meta_imprint(struct meta_worker *w, const void *phi, const struct meta_task *task)
{
    const struct head h = head_of(w);
    const struct meta_backend *b = w->backend;
    struct meta_program *p = pass(w, phi, task);
    meta_program_head_sums(p, phi, w->chosen, w->start);
    b->copy(w->start, phi, h.layer->biases);
    for (int k = 0; k < h.classes; k++) {
        int images = images_of(w, task, k);
        void *c = row(&h, w->start, k);
        b->scale(c, h.inputs, images ? 2. / images : 0);
        b->set(bias(&h, w->start, k), 1, -b->dot(c, c, h.inputs) / 4);
    }
    return w->start;
}

/* By c_k it is 2 wbar_k - 2 c_k bbar_k, of which each image of the class gets its share. */
void meta_imprint_back(struct meta_worker *w, const void *phi, const struct meta_task *task,
                       void *gradient)
{
    const struct head h = head_of(w);
    const struct meta_backend *b = w->backend;
    size_t before = h.layer->biases;
    struct meta_program *p = pass(w, phi, task);
    for (int k = 0; k < h.classes; k++) {
        int images = images_of(w, task, k);
        double biasbar, share = images ? 1. / images : 0;
        b->download_double(&biasbar, bias(&h, gradient, k), 1);
        b->copy(row(&h, w->rows, k), row(&h, gradient, k), h.inputs);
        b->scale(row(&h, w->rows, k), h.inputs, 2 * share);
        b->axpy(row(&h, w->rows, k), h.inputs, -biasbar * share, row(&h, w->start, k));
    }
    meta_program_head_pull(p, phi, w->rows, w->chosen, w->gradient);
    b->axpy(gradient, before, 1, w->gradient);
    b->set(bias(&h, gradient, 0), w->network->parameters - before, 0);
}
