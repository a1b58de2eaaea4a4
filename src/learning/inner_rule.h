/* Inner steps by a rule of a plugin's (struct meta_inner_functions of plugin.h), in place of
   phi_(s+1) = phi_s - gamma g_s, and their adjoints for the sweep back. */
#ifndef META_INNER_RULE_H
#define META_INNER_RULE_H

#include "inner_rates.h"

/* The functions and the settings that they get; functions NULL: there is no rule. */
struct meta_rule_how {
    const struct meta_inner_functions *functions;
    const void *settings;
    const char *name; /* meta_inner_name */
};
struct meta_rule_how meta_rule_how_of(const struct meta_inner_settings *);
/* The section that has these settings: "inner_loop", also where there is none. */
const char *meta_inner_name(const struct meta_inner_settings *);

struct meta_rule;
/* Whose rule it is: a worker's that takes at most `steps` steps. */
struct meta_rule_for {
    const struct meta_network *network;
    const struct meta_rates *rates;
    const struct meta_backend *backend;
    int steps;
    int back; /* 1: steps are swept back, which takes memory for the gradient and the rule's memory
                 of each */
};
/* It moves what the rates move, array by array, but for arrays that the plugin leaves out. The
   caller frees. */
int meta_rule_create(struct meta_rule **, struct meta_rule_how, const struct meta_rule_for *,
                     struct meta_error *);
void meta_rule_free(struct meta_rule *); /* may be NULL */
size_t meta_rule_bytes(const struct meta_rule *);

/* to (parameters), which is phi_s, becomes phi_(s+1); g (parameters) is its gradient. Step 0 begins
   with the rule's memory at 0. */
void meta_rule_step(struct meta_rule *, int s, double rate, void *to, const void *g);
/* Before the adjoint of the last step. */
void meta_rule_begin_back(struct meta_rule *);
/* v (parameters) is the adjoint of phi_(s+1), and becomes that of phi_s but for what it gets
   through the gradient: that is H_s times out (parameters), the adjoint of g_s. phi: phi_s. */
void meta_rule_back(struct meta_rule *, int s, double rate, const void *phi, void *v, void *out);

#endif
