/* The ROC curve of a task, from its ranks. */
#ifndef META_ROC_H
#define META_ROC_H

enum { META_ROC_POINTS = 101 };

/* Fills rates (META_ROC_POINTS) with the rate of true positives at even steps of the rate of false
   positives, from 0 to 1. ranks: a text as meta_ranks (auc.h) writes it. Returns 0, or -1 when the
   text is not of that form or lacks one of the two classes. */
int meta_roc(const char *ranks, double *rates);

/* Fills rates (META_ROC_POINTS) with the mean over the classes of the curve of each class's score
   against all others (auc.h: meta_auc_task). scores: (n, ways); ranks: room for 2n+1 bytes. Returns
   0, or -1 when a class has no image. */
int meta_roc_task(const double *scores, const int *labels, int n, int ways, char *ranks,
                  double *rates);

#endif
