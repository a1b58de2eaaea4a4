/* Darknet's learning-rate policies, rounded as Darknet rounds them, and the cosine. */
#include "policy.h"

#include <math.h>

/* Darknet keeps its settings in float and calls the double functions of libm; the casts follow
   that. */
double meta_policy_rate(const struct meta_net_settings *net, uint64_t iteration)
{
    float rate = net->learning_rate, power = net->power, gamma = net->gamma, scale = net->scale;
    uint64_t step = net->step;
    if (iteration < (uint64_t)net->burn_in)
        return (float)(rate * pow((float)iteration / (float)net->burn_in, power));
    switch ((enum meta_policy)net->policy) {
    case META_POLICY_CONSTANT: break;
    case META_POLICY_STEP: return (float)(rate * pow(scale, (double)(iteration / step)));
    case META_POLICY_EXP: return (float)(rate * pow(gamma, (double)iteration));
    case META_POLICY_POLY:
        return (float)(rate * pow(1 - (float)iteration / (float)net->max_batches, power));
    case META_POLICY_STEPS:
        for (int i = 0; i < net->steps.count && (uint64_t)net->steps.values[i] <= iteration; i++)
            rate *= (float)net->scales.values[i];
        break;
    case META_POLICY_SIGMOID:
        return (float)(rate * (1 / (1 + exp(gamma * (float)(iteration - step)))));
    case META_POLICY_COSINE:
        if (iteration >= (uint64_t)net->max_batches) return 0;
        return (float)(rate / 2 * (1 + cos(M_PI * (double)iteration / net->max_batches)));
    }
    return rate;
}

int meta_policy_reads_end(const struct meta_net_settings *net)
{
    return net->policy == META_POLICY_POLY || net->policy == META_POLICY_COSINE;
}
