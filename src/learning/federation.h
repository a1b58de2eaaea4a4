/* How sites, ranks with images of their own, train together. */
#ifndef META_FEDERATION_H
#define META_FEDERATION_H

enum meta_federated {
    META_NOT_FEDERATED,
    META_FEDERATED_GRADIENTS, /* each iteration the sites' gradients meet */
    META_FEDERATED_AVERAGE    /* every `local` iterations the sites' parameters do */
};

/* All sites must have the same. */
struct meta_federation {
    enum meta_federated mode;
    int local; /* with META_FEDERATED_AVERAGE */
    int equal; /* in a mean all sites count alike; else each by how many of an iteration's tasks it
                  makes */
    double clip;  /* the norm that what a site sends is scaled down to; 0: it is not */
    double noise; /* standard deviation, in units of `clip`, of what is added to each number of it;
                     0: nothing is */
};

/* Whether a site sends one vector in which its tasks are not told apart, scaled down and with
   noise, and nothing else that depends on its images. */
static inline int meta_federation_protects(const struct meta_federation *f)
{
    return f && f->mode && f->clip > 0;
}

#endif
