/* The ROC curve of a task from its ranks. */
#ifndef META_ROC_H
#define META_ROC_H

enum { META_ROC_POINTS = 101 };
/* rates (META_ROC_POINTS): the rate of true positives at even steps of the rate of false ones, from 0 to 1, of ranks as meta_ranks
   (auc.h) writes them. 0, or -1 when the text is no ranks of both classes. */
int meta_roc(const char *ranks, double *rates);

#endif
