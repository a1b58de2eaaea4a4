/* Sweeps over channels and sizes of convolutions. */
#include "sweep.h"
#include "base/child.h"
#include "sweep_rig.h"

#include <stdlib.h>

#define MULTIPLE 16
#define ROUNDS 7

/* ---- rounds ---------------------------------------------------------------------------------- */

/* The shapes up to one multiple of 16 channels, which are timed in turn; the last is the multiple,
   whether it is swept or not. */
struct band {
    int count;
    struct meta_sweep_rig rig[MULTIPLE];
    int runs[MULTIPLE];
    double gradient[MULTIPLE], product[MULTIPLE]; /* the least of the rounds */
};

static void keep_least(double *least, double seconds, int is_first)
{
    if (is_first || seconds < *least) *least = seconds;
}

/* The first run of each warms up and tells how many runs a round may have. */
static void time_band(struct band *b, double seconds)
{
    for (int i = 0; i < b->count; i++) {
        meta_sweep_gradient(&b->rig[i], 1);
        double once = meta_sweep_gradient(&b->rig[i], 1) + meta_sweep_product(&b->rig[i], 1);
        double runs = seconds / ROUNDS / (once * META_SWEEP_BATCH);
        b->runs[i] = runs > 1e6 ? 1e6 : runs > 1 ? (int)runs : 1;
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < b->count; i++) {
            keep_least(&b->gradient[i], meta_sweep_gradient(&b->rig[i], b->runs[i]), !round);
            keep_least(&b->product[i], meta_sweep_product(&b->rig[i], b->runs[i]), !round);
        }
}

static void close_band(struct band *b)
{
    for (int i = 0; i < b->count; i++) meta_sweep_close(&b->rig[i]);
    b->count = 0;
}

static const char *slow_of(const struct meta_op *op)
{
    return op->kernel->slow ? op->kernel->slow(op) : NULL;
}

/* Times the rows, all of one band, that begin at `row`. */
static int run_band(const struct meta_sweep *s, struct meta_sweep_row *row, int rows,
                    struct meta_error *error)
{
    struct band b = { 0 };
    struct meta_sweep_shape multiple = row->shape;
    int status = -1;
    multiple.channels = (multiple.channels + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    int is_swept = row[rows - 1].shape.channels == multiple.channels;
    for (int i = 0; i < rows + !is_swept; i++) {
        b.count++;
        if (meta_sweep_open(&b.rig[i], s->plan->backend, i < rows ? row[i].shape : multiple, error))
            goto fail;
    }
    time_band(&b, s->plan->seconds);
    int last = b.count - 1;
    for (int i = 0; i < rows; i++) {
        double gradient = b.gradient[i] / b.gradient[last],
               product = b.product[i] / b.product[last];
        row[i].gradient = b.gradient[i];
        row[i].product = b.product[i];
        row[i].ratio = gradient > product ? gradient : product;
        row[i].slow = slow_of(b.rig[i].op);
    }
    status = 0;
fail:
    close_band(&b);
    return status;
}

/* ---- the sweep ------------------------------------------------------------------------------- */

static int list_rows(struct meta_sweep *s, struct meta_error *error)
{
    const struct meta_sweep_plan *p = s->plan;
    int channels = p->most_channels - p->least_channels + 1,
        sizes = p->most_size - p->least_size + 1;
    s->rows = META_SWEEP_FAMILIES * sizes * channels;
    if (!(s->row = calloc(s->rows, sizeof *s->row))) return meta_fail_memory(error);
    for (int i = 0; i < s->rows; i++)
        s->row[i].shape = (struct meta_sweep_shape){ i / (sizes * channels),
                                                     p->least_channels + i % channels,
                                                     p->least_size + i / channels % sizes };
    return 0;
}

static int is_same_band(struct meta_sweep_shape a, struct meta_sweep_shape b)
{
    return a.family == b.family && a.size == b.size
        && (a.channels - 1) / MULTIPLE == (b.channels - 1) / MULTIPLE;
}

static int time_rows(struct meta_sweep *s, struct meta_child *stock, struct meta_error *error)
{
    double numbers[META_CHILD_NUMBERS];
    for (int i = 0, many; i < s->rows; i += many) {
        for (many = 1; i + many < s->rows && is_same_band(s->row[i].shape, s->row[i + many].shape);)
            many++;
        if (run_band(s, &s->row[i], many, error)) return -1;
        for (int k = i; k < i + many; k++) {
            if (meta_child_ask(stock, "stock libdarknet", numbers, error)) return -1;
            s->row[k].stock = numbers[0];
        }
        enum meta_sweep_family family = s->row[i].shape.family;
        if (i + many == s->rows || s->row[i + many].shape.family != family) s->timed(s, family);
    }
    return 0;
}

int meta_sweep_run(struct meta_sweep *s, struct meta_error *error)
{
    struct meta_child *stock = NULL;
    if (list_rows(s, error)) return -1;
    struct meta_sweep_question question = { s->row, 0 };
    if (meta_child_start(&stock, meta_sweep_serve, &question, error)) return -1;
    int status = s->plan->backend->open(error) || time_rows(s, stock, error) ? -1 : 0;
    meta_child_free(stock);
    return status;
}

void meta_sweep_clear(struct meta_sweep *s) { free(s->row); }

const struct meta_sweep_row *meta_sweep_find(const struct meta_sweep *s,
                                             struct meta_sweep_shape shape)
{
    for (int i = 0; i < s->rows; i++) {
        struct meta_sweep_shape at = s->row[i].shape;
        if (at.family == shape.family && at.channels == shape.channels && at.size == shape.size)
            return &s->row[i];
    }
    return NULL;
}

const struct meta_sweep_row *meta_sweep_worst(const struct meta_sweep *s)
{
    const struct meta_sweep_row *worst = s->row;
    for (int i = 1; i < s->rows; i++)
        if (s->row[i].ratio > worst->ratio) worst = &s->row[i];
    return worst;
}

const struct meta_sweep_row *meta_sweep_worst_of_stock(const struct meta_sweep *s)
{
    const struct meta_sweep_row *worst = s->row;
    for (int i = 1; i < s->rows; i++)
        if (s->row[i].stock / s->row[i].gradient < worst->stock / worst->gradient)
            worst = &s->row[i];
    return worst;
}
