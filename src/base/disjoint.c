/* Unites disjoint sets, each known by the root of a tree of parents. */
#include "disjoint.h"

int meta_disjoint_root(int *parent, int i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

void meta_disjoint_unite(int *parent, int i, int k)
{
    i = meta_disjoint_root(parent, i);
    k = meta_disjoint_root(parent, k);
    if (i < k) parent[k] = i;
    else parent[i] = k;
}
