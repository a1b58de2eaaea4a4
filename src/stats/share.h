/* Shares of cases. */
#ifndef META_SHARE_H
#define META_SHARE_H

/* The 95% interval of a share p that was seen in n cases (Wilson, J. Am. Stat. Assoc. 22, 1927). */
void meta_share_interval(double p, double n, double *low, double *high);

#endif
