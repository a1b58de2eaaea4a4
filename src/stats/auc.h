/* Statistics of scored images: the area under the ROC curve (AUC), accuracy, and ranks as text. All
   are thread-safe and allocate nothing. */
#ifndef META_AUC_H
#define META_AUC_H

/* The chance that a positive image scores above a negative one, a tie counting half: the exact
   Mann-Whitney statistic over positives*negatives. Image i (of n) scores values[i*stride]; it is
   positive when labels[i] == positive, and negative when labels[i] == negative, or, with negative =
   -1, when it is not positive. .5 when a score is NaN, because such scores tell nothing apart. NaN
   when there is no positive or no negative image. */
double meta_auc(const double *values, int stride, const int *labels, int n, int positive,
                int negative);

/* The AUC of a task from scores (n, ways), which rank images by each class, such as log-odds: with
   two ways that of class 1's score, with more the mean over the classes of the AUC of each class's
   score against the rest. */
double meta_auc_task(const double *scores, const int *labels, int n, int ways);

/* The AUC of classes a and b of a task among the images of those two: the mean of the AUC of a's
   score and that of b's (Hand and Till, Machine Learning 45, 2001). */
double meta_auc_pair(const double *scores, const int *labels, int n, int ways, int a, int b);

/* Fills wins (n): twice the number of images of other classes that each image is told from, a tie
   counting half, summed over the curves of meta_auc_task. In a curve with a score that is NaN all
   are ties. */
void meta_auc_wins(int *wins, const double *scores, const int *labels, int n, int ways);

/* The share of images whose own label has the highest score. Of equal scores the first
   counts as the highest, as in Darknet. */
double meta_accuracy(const double *scores, const int *labels, int n, int ways);

/* Writes the images of two classes as text, by falling score: 1 for positive, 0 for negative, with
   those of equal score in parentheses: "11(10)0". When a score is NaN all are in one pair of
   parentheses. The text determines the ROC curve, and so meta_auc. out: room for 2n+1 bytes. */
void meta_ranks(char *out, const double *values, int stride, const int *labels, int n,
                int positive);

#endif
