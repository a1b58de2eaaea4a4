/* What noise buys: (epsilon, delta) of differential privacy, by Renyi divergences, which add up
   over releases (Mironov, CSF 2017).

   A release is a vector of which one unit of data changes at most a length of 1 (its sensitivity),
   with Gaussian noise of standard deviation sigma in each number. With q < 1 the unit is in each
   release with probability q, drawn anew and in secret (Poisson sampling): neighbours then are data
   with the unit and without it. */
#ifndef META_PRIVACY_H
#define META_PRIVACY_H

/* The Renyi divergence of that order, above 1, of one release: order / (2 sigma^2) with q = 1, else
   by the series of Mironov, Talwar and Zhang (arXiv 1908.10530), for whole and other orders.
   Infinity where it can't be computed. 0 < q <= 1, sigma > 0. */
double meta_privacy_divergence(double q, double sigma, double order);

/* The epsilon that a divergence of that order is for delta: Theorem 21 of Balle, Barthe, Gaboardi,
   Hsu and Sato (AISTATS 2020); at least 0. */
double meta_privacy_convert(double divergence, double order, double delta);

/* The least epsilon over many orders that so many releases have together for delta, which is
   between 0 and 1. 0 of no release; infinity with sigma = 0. */
double meta_privacy_epsilon(double q, double sigma, double releases, double delta);

#endif
