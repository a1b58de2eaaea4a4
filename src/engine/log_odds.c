/* Log-odds from logits, and probabilities and losses from log-odds. */
#include "log_odds.h"

#include <math.h>

/* The places of the largest logit and of the next; of equals the first comes first. Returns whether
   softmax is defined: no logit is NaN or infinity, and the largest is not -infinity. */
static int find_largest(const double *logits, int n, int place[2])
{
    place[0] = 0;
    place[1] = -1;
    for (int k = 0; k < n; k++)
        if (isnan(logits[k]) || logits[k] == INFINITY) return 0;
    for (int k = 1; k < n; k++)
        if (logits[k] > logits[place[0]]) place[0] = k;
    for (int k = 0; k < n; k++)
        if (k != place[0] && (place[1] < 0 || logits[k] > logits[place[1]])) place[1] = k;
    return logits[place[0]] > -INFINITY;
}

/* The sum over all classes but the two largest of exp(logit - from). */
static double sum_small(const double *logits, int n, const int place[2], double from)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        if (k != place[0] && k != place[1]) sum += exp(logits[k] - from);
    return sum;
}

/* The largest logit is set against the next, the others against the largest: so nothing overflows,
   and 1 plus the rest is never a difference of near numbers. Of equal logits the log-odds are
   equal, bit for bit, where they are the two largest. */
void meta_log_odds(const double *logits, int n, double *out)
{
    int place[2];
    if (n < 2 || !find_largest(logits, n, place)) {
        for (int k = 0; k < n; k++) out[k] = NAN;
        return;
    }
    double first = logits[place[0]], second = logits[place[1]],
           small = sum_small(logits, n, place, first), next = exp(second - first),
           below = second > -INFINITY ? sum_small(logits, n, place, second) : 0;
    for (int k = 0; k < n; k++) {
        if (k == place[0] || k == place[1]) continue;
        double others = fmax(0, small - exp(logits[k] - first));
        out[k] = logits[k] - first - log1p(next + others);
    }
    out[place[0]] = first - second - log1p(below);
    out[place[1]] = second - first - log1p(small);
}

int meta_log_odds_lack(const double *log_odds, int n)
{
    for (int k = 0; k < n; k++)
        if (isnan(log_odds[k])) return 1;
    return 0;
}

double meta_log_odds_probability(double log_odds) { return 1 / (1 + exp(-log_odds)); }

double meta_log_odds_loss(double log_odds)
{
    return log_odds < 0 ? log1p(exp(log_odds)) - log_odds : log1p(exp(-log_odds));
}

double meta_log_odds_mean_loss(const double *log_odds, const int *labels, int images, int ways)
{
    double sum = 0;
    for (int i = 0; i < images; i++)
        sum += meta_log_odds_loss(log_odds[(long)i * ways + labels[i]]);
    return sum / images;
}

/* Logits are logarithms of probabilities, but for a number that is the same for all classes. */
void meta_log_odds_temper(double *log_odds, int n, double temperature)
{
    for (int k = 0; k < n; k++) log_odds[k] = -meta_log_odds_loss(log_odds[k]) / temperature;
    meta_log_odds(log_odds, n, log_odds);
}

/* The logarithm of a mean probability is taken from the largest of the logarithms on: the mean
   itself rounds to 0 or 1. */
void meta_log_odds_mean(const double *log_odds, int count, int n, double *out)
{
    for (int k = 0; k < n; k++) {
        double top = -INFINITY, sum = 0;
        int nan = 0;
        for (int i = 0; i < count; i++) {
            double log_p = -meta_log_odds_loss(log_odds[(long)i * n + k]);
            nan |= isnan(log_p);
            top = fmax(top, log_p);
        }
        for (int i = 0; i < count && top > -INFINITY; i++)
            sum += exp(-meta_log_odds_loss(log_odds[(long)i * n + k]) - top);
        out[k] = nan ? NAN : top > -INFINITY ? top + log(sum / count) : -INFINITY;
    }
    meta_log_odds(out, n, out);
}
