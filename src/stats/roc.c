/* Walks the ranks of a task from the highest score down, which is its ROC curve. */
#include "roc.h"
#include "auc.h"

#include <math.h>
#include <stddef.h>

/* One step of the curve: the images of one score, by class. */
struct step {
    int positive, negative;
};

/* Reads one step, and returns what stands behind it; NULL when the text is not of that form. */
static const char *next(const char *ranks, struct step *s)
{
    int open = *ranks == '(';
    *s = (struct step){ 0, 0 };
    for (ranks += open; *ranks == '0' || *ranks == '1'; ranks++) {
        if (*ranks == '1') s->positive++;
        else s->negative++;
        if (!open) return ranks + 1;
    }
    return open && *ranks == ')' ? ranks + 1 : NULL;
}

int meta_roc(const char *ranks, double *rates)
{
    struct step s;
    int positives = 0, negatives = 0, at = 0, above = 0, false_above = 0;
    for (const char *p = ranks; *p; positives += s.positive, negatives += s.negative)
        if (!(p = next(p, &s))) return -1;
    if (!positives || !negatives) return -1;
    /* Where the curve goes straight up, its upper end counts. */
    for (const char *p = ranks; *p; above += s.positive, false_above += s.negative) {
        p = next(p, &s);
        for (; at < META_ROC_POINTS; at++) {
            /* how many of this step's negatives lie before the point */
            double passed = (double)at * negatives / (META_ROC_POINTS - 1) - false_above;
            if (passed >= s.negative - 1e-9) break;
            rates[at] = (above + s.positive * fmax(0, passed) / s.negative) / positives;
        }
    }
    for (; at < META_ROC_POINTS; at++) rates[at] = 1;
    return 0;
}

int meta_roc_task(const double *scores, const int *labels, int n, int ways, char *ranks,
                  double *rates)
{
    double own[META_ROC_POINTS];
    for (int i = 0; i < META_ROC_POINTS; i++) rates[i] = 0;
    for (int k = 0; k < ways; k++) {
        meta_ranks(ranks, scores + k, ways, labels, n, k);
        if (meta_roc(ranks, own)) return -1;
        for (int i = 0; i < META_ROC_POINTS; i++) rates[i] += own[i] / ways;
    }
    return 0;
}
