/* STEM.temperature, the temperatures of the answers that adapted weights give, beside STEM.weights:
   what `meta calibrate` has learned on tasks of other classes (stats/temperature.h). A text file;
   its last line is the CRC-32 of what stands before it. */
#ifndef META_TEMPERATURE_FILE_H
#define META_TEMPERATURE_FILE_H

#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"

enum {
    META_TEMPERATURE_ROWS = 64,
    META_TEMPERATURE_WORD = 16,
    META_TEMPERATURE_INNER = 240, /* room for a line that says how tasks are learned */
    META_TEMPERATURE_WHY = 512    /* room for two of them */
};

/* A temperature, for one number of support images a class, and one kind of statistics (-bn) that
   query images are normalised by. */
struct meta_temperature_row {
    char statistics[META_TEMPERATURE_WORD];
    int shots;
    double temperature, low, high; /* with its 95% interval, which is 0 to 0 where there is none */
    double before, after;          /* negative log-likelihood without and with it */
};

struct meta_temperatures {
    struct meta_digest weights; /* meta_temperatures_digest */
    int ways, steps, tasks;     /* of the tasks, and how many of each number of shots */
    double learning_rate;
    char inner[META_TEMPERATURE_INNER]; /* meta_inner_text of the .cfg; "": the file, an early one,
                                           has none, and fits any */
    uint64_t seed;
    int count;
    struct meta_temperature_row rows[META_TEMPERATURE_ROWS];
};

/* "a/b.temperature" of "a/b.weights". The caller frees; NULL with a message: no memory. */
char *meta_temperatures_path(const char *weights, struct meta_error *);
/* What tells weights from others: the digest of their file, and where learned rates lie beside it
   (".rates" in place of ".weights") that of both. */
int meta_temperatures_digest(struct meta_digest *, const char *weights, struct meta_error *);
/* Reads the file, whose numbers are checked; errors say the line. */
int meta_temperatures_read(struct meta_temperatures *, const char *path, struct meta_error *);
/* The same for the file beside these weights, which it must have been learned for. Where there is
   none, count is 0. */
int meta_temperatures_find(struct meta_temperatures *, const char *weights, struct meta_error *);
/* Writes the file whole or not at all. comment: a line without an end. */
int meta_temperatures_write(const struct meta_temperatures *, const char *path, const char *comment,
                            struct meta_error *);

/* What answers are asked for. */
struct meta_temperature_use {
    int ways, steps;
    double learning_rate;
    const char *statistics;
    double shots;      /* support images a class, on average */
    int copies;        /* of each image, whose answers are averaged; 0 or 1: the image alone */
    const char *inner; /* meta_inner_text of the .cfg */
};
/* The temperature of such answers: between two numbers of shots its logarithm is linear in the
   logarithm of shots, beyond them it is that of the nearest. Where the file has none for them this
   is 0, and `why` (size bytes; META_TEMPERATURE_WHY are enough) says what it is of. */
double meta_temperatures_choose(const struct meta_temperatures *,
                                const struct meta_temperature_use *, char *why, size_t size);

#endif
