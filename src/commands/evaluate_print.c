/* Prints the figures of `meta evaluate` for people. */
#include "evaluate_print.h"
#include "base/plural.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "0.9123 (0.8500 to 0.9611)", or why there is no interval, or no figure. */
static void print_interval(const struct meta_interval *i)
{
    if (isnan(i->value)) printf("none: %s", i->why);
    else if (isnan(i->low)) printf("%.4f (%s)", i->value, i->why);
    else printf("%.4f (%.4f to %.4f)", i->value, i->low, i->high);
}

static void print_figure(const char *name, const struct meta_interval *i)
{
    printf("%-22s", name);
    print_interval(i);
    putchar('\n');
}

/* A mean over the classes. */
static void print_mean(const char *name, const struct meta_interval *i,
                       const struct meta_assessment_report *r)
{
    const char *lacking = meta_report_lacking(r, i);
    int present = r->figures->present, classes = r->figures->classes;
    printf("%-22s", name);
    if (lacking) printf("none: no image of the class %s", lacking);
    else print_interval(i);
    if (!isnan(i->value) && present < classes) printf(", of %d of %d classes", present, classes);
    putchar('\n');
}

static void print_classes(const struct meta_assessment_report *r)
{
    const struct meta_assessment *f = r->figures;
    int classes = f->classes;
    printf("AUC of each class against the others:\n");
    for (int k = 0; k < classes; k++) {
        const struct meta_class_figures *c = &f->class[k];
        printf("    %s: ", r->names[k]);
        print_interval(&c->auc);
        printf(", %d image%s", c->images, meta_plural(c->images));
        if (r->grouped) printf(" in %d group%s", c->groups, meta_plural(c->groups));
        putchar('\n');
    }
    if (classes == 2) return;
    printf("AUC between two classes:\n");
    for (int a = 0; a < classes; a++)
        for (int b = a + 1; b < classes; b++) {
            printf("    %s and %s: ", r->names[a], r->names[b]);
            print_interval(&f->pairs[a * classes + b]);
            putchar('\n');
        }
}

/* On how many images and groups a threshold was chosen. */
static void print_chosen(const struct meta_assessment_report *r, const struct meta_threshold *t)
{
    printf(", chosen on %d image%s", t->images, meta_plural(t->images));
    if (r->chosen_grouped) printf(" in %d group%s", t->groups, meta_plural(t->groups));
    puts(meta_threshold_few(t, r->chosen_grouped) ? ": so few that others may give quite another "
                                                    "threshold"
                                                  : "");
}

static void print_thresholds(const struct meta_assessment_report *r)
{
    if (!r->thresholds) return;
    printf("at thresholds that find %g of each class in %s:\n", r->sensitivity, r->chosen_on);
    for (int k = 0; k < r->figures->classes; k++) {
        const struct meta_class_figures *c = &r->figures->class[k];
        char text[META_THRESHOLD_TEXT];
        printf("    %s: ", r->names[k]);
        if (r->thresholds[k].why) {
            printf("none: %s\n", r->thresholds[k].why);
            continue;
        }
        printf("probability %s: sensitivity ",
               meta_assess_threshold_text(r->thresholds[k].log_odds, text));
        print_interval(&c->sensitivity);
        printf(", specificity ");
        print_interval(&c->specificity);
        print_chosen(r, &r->thresholds[k]);
    }
}

static void print_confusion(const struct meta_assessment_report *r)
{
    int classes = r->figures->classes, answered = 0, all = 0;
    printf("images of a class by their answer:\n");
    for (int k = 0; k < classes; k++) {
        printf("    %s:", r->names[k]);
        for (int a = 0, some = 0; a < classes; a++) {
            int n = r->figures->confusion[k * classes + a];
            if (!n) continue;
            printf("%s %s %d", some++ ? "," : "", r->names[a], n);
        }
        printf("%s\n", r->figures->class[k].images ? "" : " no images");
    }
    for (int a = 0; a < classes; a++, all = 0) {
        for (int k = 0; k < classes; k++) all += r->figures->confusion[k * classes + a];
        answered += all > 0;
    }
    if (answered == 1 && r->assessed->clusters.count > 1) printf("all answers are the same\n");
}

void meta_evaluate_print(const struct meta_assessment_report *r)
{
    const struct meta_assessment *f = r->figures;
    int n = r->assessed->clusters.count, groups = r->assessed->clusters.groups;
    printf("%s: %d image%s", r->images, n, meta_plural(n));
    if (r->grouped) printf(" in %d group%s", groups, meta_plural(groups));
    else printf(", each taken for unlike any other");
    printf("; 95%% intervals in parentheses\n");
    print_figure("accuracy", &f->accuracy);
    print_mean("balanced accuracy", &f->balanced, r);
    print_mean("AUC, mean of classes", &f->auc, r);
    print_classes(r);
    print_thresholds(r);
    print_confusion(r);
    print_figure("NLL", &f->nll);
    print_figure("Brier score", &f->brier);
    if (isnan(f->ece.low)) printf("%-22s%.4f\n", "ECE", f->ece.mean);
    else printf("%-22s%.4f (%.4f to %.4f)\n", "ECE", f->ece.mean, f->ece.low, f->ece.high);
    for (int i = 0; i < r->untold_count; i++)
        fprintf(stderr, "darknet: warning: %s\n", r->untold[i]);
    if (r->learned_count)
        fprintf(stderr,
                "darknet: warning: %d of the %d images %s among those that the classifier has "
                "learned from%s: the figures are too good\n",
                r->learned_count, n, r->learned_count == 1 ? "is" : "are",
                r->beside ? ", and others are of their groups" : "");
    else if (r->beside)
        fprintf(stderr,
                "darknet: warning: %d of the %d images %s of groups with other pages of files that "
                "the classifier has learned from: the figures are too good\n",
                r->beside, n, r->beside == 1 ? "is" : "are");
}
