/* Area under the ROC curve. */
#ifndef META_AUC_H
#define META_AUC_H

/* The chance that a positive scores above a negative, a tie counting half: the exact Mann-Whitney statistic over
   positives*negatives. score i is values[i*stride]; positive when labels[i] == positive, negative when it is == negative
   (or anything else, with negative = -1). .5 when a score is not a number: nothing is told apart by it. NaN when a side is empty.
   Thread-safe. */
double meta_auc(const float *values, int stride, const int *labels, int n, int positive, int negative);

/* Of a task, from probabilities (n, ways): two ways: the AUC of class 1's probability; more: the mean over classes of each
   class against the rest. */
double meta_auc_task(const float *probabilities, const int *labels, int n, int ways);

/* Of classes a and b of a task, among the images of those two: the mean of the AUC of a's probability and of b's
   (Hand and Till, Machine Learning 45, 2001). */
double meta_auc_pair(const float *probabilities, const int *labels, int n, int ways, int a, int b);

/* How many images of other classes each image is told from, twice, a tie counting once, in the curves that meta_auc_task has (class 1's, or each
   class's against the rest). All are ties in a curve with a score that is not a number. */
void meta_auc_wins(int *wins, const float *probabilities, const int *labels, int n, int ways);

/* The share of images whose own label has the highest probability; the first of equals is taken, as Darknet does. */
double meta_accuracy(const float *probabilities, const int *labels, int n, int ways);

/* The images of two classes by falling score, as text: 1 positive, 0 negative, those of equal score in parentheses: "11(10)0"; all are in
   one pair when a score is not a number. The ROC curve is told by it, and meta_auc. out: room for 2n+1 bytes. */
void meta_ranks(char *out, const float *values, int stride, const int *labels, int n, int positive);

#endif
