/* The last [connected] of a network by itself: sums of what goes into it, and the way back from
   there to the layers before. */
#include "program_internal.h"

/* The index of the operation; the network has one. */
static int find_head(const struct meta_program *p)
{
    int i = p->low.op_count - 1;
    while (p->low.ops[i].kind != META_OP_CONNECTED) i--;
    return i;
}

/* Puts `chosen` in the place of the adjoint of what the layer gives. */
static struct meta_op *choose(struct meta_program *p, int head, const float *chosen)
{
    struct meta_op *op = &p->low.ops[head];
    p->backend->tensor_in(op->y.bar, chosen, op->out_batch, op->out);
    return op;
}

/* The gradient of a connected layer's weights is such a sum. */
void meta_program_head_sums(struct meta_program *p, const void *parameters, const float *chosen,
                            void *sums)
{
    const void *theta = meta_program_theta(p, parameters);
    struct meta_op *op = choose(p, find_head(p), chosen);
    op->kernel->backward(op, theta, meta_program_untied(p, sums));
    meta_program_tie(p, sums);
    meta_program_note_failure(p);
}

/* With the rows in the place of its weights, what the layer hands back is that derivative by its
   input. A backward is at the parameters of the forward before it, which the layer therefore does
   once more, with the rows. */
void meta_program_head_pull(struct meta_program *p, const void *parameters, const void *rows,
                            const float *chosen, void *gradient)
{
    int head = find_head(p);
    const void *theta = meta_program_theta(p, rows);
    void *out = meta_program_untied(p, gradient);
    p->low.ops[head].kernel->forward(&p->low.ops[head], theta);
    struct meta_op *op = choose(p, head, chosen);
    op->kernel->backward(op, theta, out);
    meta_program_back(p, head, 0, meta_program_theta(p, parameters), out);
    meta_program_tie(p, gradient);
    meta_program_note_failure(p);
}
