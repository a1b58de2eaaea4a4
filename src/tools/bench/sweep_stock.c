/* One convolutional layer after the other in stock libdarknet. It runs in a process of its own. */
#include "base/clock.h"
#include "host/host.h"
#include "stock_cfg.h"
#include "sweep.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 2

static int write_layer(FILE *out, const void *context)
{
    const struct meta_sweep_shape *s = context;
    fprintf(out,
            "[net]\nbatch=1\nsubdivisions=1\nwidth=%d\nheight=%d\nchannels=%d\n"
            "[convolutional]\nfilters=%d\nsize=%d\nstride=1\npadding=%d\nactivation=linear\n",
            META_SWEEP_SIDE, META_SWEEP_SIDE, meta_sweep_in(*s), meta_sweep_out(*s), s->size,
            s->size / 2);
    return 0;
}

/* Once forward and backward; with an adjoint of the input where the layer would not be the first.
 */
static double time_layer(network *net, float *input, float *adjoint)
{
    layer *l = &net->layers[0];
    double begun = meta_thread_time();
    net->input = input;
    net->delta = adjoint;
    net->train = 1;
    l->forward(*l, *net);
    l->backward(*l, *net);
    return meta_thread_time() - begun;
}

int meta_sweep_serve(void *question, double *numbers, struct meta_error *error)
{
    struct meta_sweep_question *q = question;
    static struct meta_library library;
    void (*free_it)(network *);
    const struct meta_sweep_shape shape = q->row[q->next++].shape;
    int is_first = meta_sweep_is_first(shape);
    size_t n = (size_t)meta_sweep_in(shape) * META_SWEEP_SIDE * META_SWEEP_SIDE;
    network *net;
    omp_set_num_threads(1);
    if (!library.handle && meta_library_open(&library, error)) return -1;
    void *symbol = meta_library_symbol(&library, "free_network", error);
    if (!symbol) return -1;
    memcpy(&free_it, &symbol, sizeof symbol);
    if (meta_stock_parse(&net, write_layer, &shape, error)) return -1;
    float *images = calloc(2 * n, sizeof *images), *own = net->input;
    if (!images) return meta_fail_memory(error);
    for (size_t i = 0; i < n; i++) images[i] = i % 17 / 17.f;
    for (int k = 0; k < ROUNDS; k++) {
        double seconds = time_layer(net, images, is_first ? NULL : images + n);
        if (!k || seconds < numbers[0]) numbers[0] = seconds;
    }
    net->input = own;
    net->delta = NULL;
    free(images);
    free_it(net);
    return 0;
}
