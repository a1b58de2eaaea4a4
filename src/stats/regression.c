/* Fits logistic regressions by Newton's method. */
#include "regression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 200
#define TOLERANCE 1e-9

struct fit {
    const struct meta_regression_points *p;
    double C;
    int first;     /* the first class with a vector: 1 of two classes, else 0 */
    int width;     /* numbers of a vector, the bias among them */
    int numbers;   /* of all vectors */
    double *share; /* (count, classes) probabilities */
    double *gradient, *step, *residual, *direction, *product, *trial; /* (numbers) */
};

static int vectors(int classes) { return classes == 2 ? 1 : classes; }

void meta_regression_logits(double *logits, const double *w, const double *point, int size,
                            int classes)
{
    int first = classes - vectors(classes);
    logits[0] = 0;
    for (int k = first; k < classes; k++, w += size + 1) {
        logits[k] = w[size];
        for (int i = 0; i < size; i++) logits[k] += w[i] * point[i];
    }
}

/* The function's value; fills share. */
static double evaluate(struct fit *f, const double *w)
{
    const struct meta_regression_points *p = f->p;
    double penalty = 0, loss = 0;
    for (int j = 0; j < f->numbers; j++)
        if (j % f->width < p->size) penalty += w[j] * w[j] / 2;
    for (int i = 0; i < p->count; i++) {
        double *share = f->share + (size_t)i * p->classes, top = -INFINITY, sum = 0;
        meta_regression_logits(share, w, p->features + (size_t)i * p->size, p->size, p->classes);
        for (int k = 0; k < p->classes; k++) top = fmax(top, share[k]);
        for (int k = 0; k < p->classes; k++) sum += exp(share[k] - top);
        loss += top + log(sum) - share[p->labels[i]];
        for (int k = 0; k < p->classes; k++) share[k] = exp(share[k] - top) / sum;
    }
    return penalty + f->C * loss;
}

/* out += factor[k] * (point i, 1) for the vector of each class k. */
static void spread(const struct fit *f, double *out, int i, const double *factor)
{
    const double *point = f->p->features + (size_t)i * f->p->size;
    for (int k = f->first; k < f->p->classes; k++, out += f->width) {
        for (int j = 0; j < f->p->size; j++) out[j] += factor[k] * point[j];
        out[f->p->size] += factor[k];
    }
}

static void penalty_of(const struct fit *f, double *out, const double *w)
{
    for (int j = 0; j < f->numbers; j++) out[j] = j % f->width < f->p->size ? w[j] : 0;
}

/* scratch (classes). */
static void find_gradient(struct fit *f, const double *w, double *scratch)
{
    penalty_of(f, f->gradient, w);
    for (int i = 0; i < f->p->count; i++) {
        const double *share = f->share + (size_t)i * f->p->classes;
        for (int k = 0; k < f->p->classes; k++)
            scratch[k] = f->C * (share[k] - (k == f->p->labels[i]));
        spread(f, f->gradient, i, scratch);
    }
}

/* f->product = Hessian * v; scratch (classes). */
static void multiply(struct fit *f, const double *v, double *scratch)
{
    int classes = f->p->classes;
    penalty_of(f, f->product, v);
    for (int i = 0; i < f->p->count; i++) {
        const double *share = f->share + (size_t)i * classes;
        double mean = 0;
        meta_regression_logits(scratch, v, f->p->features + (size_t)i * f->p->size, f->p->size,
                               classes);
        for (int k = 0; k < classes; k++) mean += share[k] * scratch[k];
        for (int k = 0; k < classes; k++) scratch[k] = f->C * share[k] * (scratch[k] - mean);
        spread(f, f->product, i, scratch);
    }
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* f->step solves Hessian * step = -gradient, by conjugate gradients. */
static void solve(struct fit *f, double *scratch)
{
    int n = f->numbers;
    memset(f->step, 0, n * sizeof *f->step);
    for (int j = 0; j < n; j++) f->direction[j] = f->residual[j] = -f->gradient[j];
    double square = dot(f->residual, f->residual, n), first = square;
    for (int i = 0; i < 2 * n + 20 && square > 1e-24 * first; i++) {
        multiply(f, f->direction, scratch);
        double curvature = dot(f->direction, f->product, n);
        if (!(curvature > 0)) break;
        double length = square / curvature, before = square;
        for (int j = 0; j < n; j++) {
            f->step[j] += length * f->direction[j];
            f->residual[j] -= length * f->product[j];
        }
        square = dot(f->residual, f->residual, n);
        for (int j = 0; j < n; j++)
            f->direction[j] = f->residual[j] + square / before * f->direction[j];
    }
}

/* Steps of half the length until the value falls enough; a step that rounding alone keeps from
   that is taken. */
static void advance(struct fit *f, double *w, double value)
{
    double slope = dot(f->gradient, f->step, f->numbers), length = 1;
    for (int i = 0; i < 40; i++, length /= 2) {
        for (int j = 0; j < f->numbers; j++) f->trial[j] = w[j] + length * f->step[j];
        if (evaluate(f, f->trial) <= value + 1e-4 * length * slope + 1e-15 * fabs(value)) break;
    }
    memcpy(w, f->trial, f->numbers * sizeof *w);
}

static int is_done(const struct fit *f)
{
    for (int j = 0; j < f->numbers; j++)
        if (!(fabs(f->gradient[j]) <= TOLERANCE * f->C)) return 0;
    return 1;
}

/* One number more for every bias changes no probability: they get a sum of 0. */
static void centre(const struct fit *f, double *w)
{
    double sum = 0;
    int count = f->p->classes - f->first;
    if (f->first) return;
    for (int k = 0; k < count; k++) sum += w[k * f->width + f->p->size];
    for (int k = 0; k < count; k++) w[k * f->width + f->p->size] -= sum / count;
}

static int descend(struct fit *f, double *w, double *scratch, struct meta_error *error)
{
    for (int step = 0; step < MOST_STEPS; step++) {
        double value = evaluate(f, w);
        find_gradient(f, w, scratch);
        if (is_done(f)) {
            centre(f, w);
            return 0;
        }
        if (!isfinite(value)) break;
        solve(f, scratch);
        advance(f, w, value);
    }
    return meta_fail(error, "the logistic regression of %d points came to no end in %d steps",
                     f->p->count, MOST_STEPS);
}

int meta_regression_fit(double *w, const struct meta_regression_points *p, double C,
                        struct meta_error *error)
{
    int width = p->size + 1, n = vectors(p->classes) * width;
    double *memory = calloc((size_t)p->count * p->classes + 6 * (size_t)n + p->classes,
                            sizeof *memory),
           *at = memory + (size_t)p->count * p->classes;
    if (!memory) return meta_fail_memory(error);
    struct fit f = { .p = p,
                     .C = C,
                     .first = p->classes - vectors(p->classes),
                     .width = width,
                     .numbers = n,
                     .share = memory,
                     .gradient = at,
                     .step = at + n,
                     .residual = at + 2 * n,
                     .direction = at + 3 * n,
                     .product = at + 4 * n,
                     .trial = at + 5 * n };
    memset(w, 0, n * sizeof *w);
    int status = descend(&f, w, at + 6 * n, error);
    free(memory);
    return status;
}
