/* Log-odds of a class, log(p / (1 - p)): they rank as its probability p does, and go on telling
   apart where p has rounded to 1, which a float does from log-odds of 17 on and a double from 37
   on. */
#ifndef META_LOG_ODDS_H
#define META_LOG_ODDS_H

/* Fills out (n) with the log-odds of each class against all others, from logits (n): logit k less
   the logarithm of the sum of the others' exponentials. Of two classes they are the difference of
   the logits, without rounding where these are floats of like size, and each other's negative. The
   class of the largest logit has the largest log-odds. All are NaN when a logit is NaN or infinity.
   out may be logits. */
void meta_log_odds(const double *logits, int n, double *out);

/* Fills out (n) with the log-odds of the mean of `count` answers' probabilities; log_odds (count,
   n). They tell images apart as those of one answer do. All are NaN when a number is. */
void meta_log_odds_mean(const double *log_odds, int count, int n, double *out);

/* Divides the logarithms of the probabilities of log_odds (n) by a temperature: those of a network
   whose logits are divided by it. */
void meta_log_odds_temper(double *log_odds, int n, double temperature);

/* Whether one of log_odds (n) is NaN, as of weights that are damaged: there is no answer then. */
int meta_log_odds_lack(const double *log_odds, int n);

/* The probability, 1 / (1 + exp(-log_odds)), and its cross-entropy, -log of it. */
double meta_log_odds_probability(double log_odds);
double meta_log_odds_loss(double log_odds);
/* The mean cross-entropy of images whose classes are labels (images); log_odds (images, ways). */
double meta_log_odds_mean_loss(const double *log_odds, const int *labels, int images, int ways);

#endif
