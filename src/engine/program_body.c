/* The first layers of a network as a body whose parameters stand still while later ones are
   stepped (ANIL): products are of the later ones alone, and what they are by the body's output is
   taken through the body once for all of them.

   With z the body's output at parameters b, and g_s the loss's gradient by the later parameters at
   step s, the part of the body in the product of v_s is d(g_s v_s)/db = (dz/db)' d(g_s v_s)/dz.
   dz/db is the same at each step, so the sum over the steps is taken before it. */
#include "program_internal.h"

void meta_program_body_gradient(struct meta_program *p, const void *parameters, void *gradient)
{
    const void *theta = meta_program_theta(p, parameters);
    meta_program_take_sums(p);
    meta_program_back(p, p->low.body, 0, theta, meta_program_untied(p, gradient));
    meta_program_tie(p, gradient);
    meta_program_note_failure(p);
}
