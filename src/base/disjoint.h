/* Disjoint sets of 0..n-1. */
#ifndef META_DISJOINT_H
#define META_DISJOINT_H

/* parent (n) has each number's parent, itself at first. The root of i's set, which is its smallest
   number; paths are halved on the way. */
int meta_disjoint_root(int *parent, int i);
/* Makes one set of those of i and k. */
void meta_disjoint_unite(int *parent, int i, int k);

#endif
