/* What the weights that training makes depend on, as lines "what=value": kept in a checkpoint, compared when it is resumed. */
#ifndef META_FINGERPRINT_H
#define META_FINGERPRINT_H

#include <stdio.h>

#include "engine/backend.h"
#include "tasks/data_file.h"
#include "config/model.h"
#include "base/pool.h"

/* The seed, the backend and its instruction set, every option of the .cfg but those that only matter elsewhere (max_batches unless the policy is poly,
   test_steps), and the labels, groups and pixels of the training images (a CRC-32 of each image, made with the pool).
   The caller frees *text. */
int meta_fingerprint(char **text, const struct meta_model *, const struct meta_backend *, uint64_t seed,
                     const struct meta_dataset *, struct meta_pool *, struct meta_error *);

/* Whether the two were made by other instruction sets, and which: what follows is then equal to rounding, not bit for bit. */
enum { META_INSTRUCTIONS = 16 };
int meta_fingerprint_moved(const char *checkpoint, const char *now, char was[META_INSTRUCTIONS], char is[META_INSTRUCTIONS]);

/* Its part of a .cfg: the sections and their options, in lines to f; all: also max_batches and test_steps. */
int meta_fingerprint_cfg(FILE *f, const char *path, int all, struct meta_error *);

/* 0 when they agree; else the error names the first thing that changed, with both values. Numbers are compared as numbers. */
int meta_fingerprint_compare(const char *checkpoint, const char *now, struct meta_error *);
/* The same, but for [meta_loss], which either may lack. */
int meta_fingerprint_compare_unweighed(const char *checkpoint, const char *now, struct meta_error *);

#endif
