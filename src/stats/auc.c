/* AUCs, ranks and accuracies of scored images, by counting the wins of positives over negatives. */
#include "auc.h"

#include <math.h>

/* The wins are whole numbers, so that the result does not depend on an order of summation. Time is
   quadratic in n, which suits the tens of query images of a task: nothing is sorted or
   allocated. */
double meta_auc(const double *values, int stride, const int *labels, int n, int positive,
                int negative)
{
    long long twice_wins = 0, positives = 0, negatives = 0;
    for (int i = 0; i < n; i++) {
        if (labels[i] != positive) {
            if (negative < 0 || labels[i] == negative) {
                negatives++;
                if (isnan(values[(long)i * stride])) return .5;
            }
            continue;
        }
        positives++;
        double own = values[(long)i * stride];
        if (isnan(own)) return .5;
        for (int j = 0; j < n; j++) {
            if (labels[j] == positive || (negative >= 0 && labels[j] != negative)) continue;
            double other = values[(long)j * stride];
            twice_wins += (own > other) + (own >= other);
        }
    }
    return twice_wins / (2. * positives * negatives);
}

double meta_auc_task(const double *scores, const int *labels, int n, int ways)
{
    if (ways == 2) return meta_auc(scores + 1, 2, labels, n, 1, -1);
    double sum = 0;
    for (int k = 0; k < ways; k++) sum += meta_auc(scores + k, ways, labels, n, k, -1);
    return sum / ways;
}

double meta_auc_pair(const double *scores, const int *labels, int n, int ways, int a, int b)
{
    return (meta_auc(scores + a, ways, labels, n, a, b)
            + meta_auc(scores + b, ways, labels, n, b, a))
        / 2;
}

static int has_nan(const double *values, int stride, int n)
{
    for (int i = 0; i < n; i++)
        if (isnan(values[(long)i * stride])) return 1;
    return 0;
}

/* Adds the wins of one curve. */
static void add_wins(int *wins, const double *values, int stride, const int *labels, int n,
                     int positive)
{
    int nan = has_nan(values, stride, n);
    for (int i = 0; i < n; i++) {
        if (labels[i] != positive) continue;
        double own = values[(long)i * stride];
        for (int j = 0; j < n; j++) {
            if (labels[j] == positive) continue;
            double other = values[(long)j * stride];
            wins[i] += nan ? 1 : (own > other) + (own >= other);
            wins[j] += nan ? 1 : (own > other) + (own >= other);
        }
    }
}

void meta_auc_wins(int *wins, const double *scores, const int *labels, int n, int ways)
{
    for (int i = 0; i < n; i++) wins[i] = 0;
    for (int k = ways == 2; k < ways; k++) add_wins(wins, scores + k, ways, labels, n, k);
}

/* Looks for the next lower score again and again: time is quadratic, as in meta_auc. */
void meta_ranks(char *out, const double *values, int stride, const int *labels, int n, int positive)
{
    double above = INFINITY;
    int nan = has_nan(values, stride, n);
    for (int done = 0, first = 1; done < n; first = 0) {
        double next = -INFINITY;
        int equal = 0;
        for (int i = 0; i < n; i++) {
            double x = values[(long)i * stride];
            if (nan || ((first || x < above) && x > next)) next = nan ? 0 : x;
        }
        for (int i = 0; i < n; i++) equal += nan || values[(long)i * stride] == next;
        if (equal > 1) *out++ = '(';
        for (int i = 0; i < n; i++)
            if (nan || values[(long)i * stride] == next) *out++ = labels[i] == positive ? '1' : '0';
        if (equal > 1) *out++ = ')';
        above = next;
        done += equal;
    }
    *out = 0;
}

double meta_accuracy(const double *scores, const int *labels, int n, int ways)
{
    int right = 0;
    for (int i = 0; i < n; i++) {
        const double *p = scores + (long)i * ways;
        int best = 0;
        for (int k = 1; k < ways; k++)
            if (p[k] > p[best]) best = k;
        right += best == labels[i];
    }
    return (double)right / n;
}
