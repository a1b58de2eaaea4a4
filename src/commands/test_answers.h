/* The flags -csv, -with, -temper and -fit_temperature of `meta test`: answers that are written,
   those of other tests that are averaged with the method's, and how sure each is taken to be. */
#ifndef META_TEST_ANSWERS_H
#define META_TEST_ANSWERS_H

#include "evaluation/method.h"
#include "test_request.h"
#include "transport/transport.h"
#include "word_list.h"

struct meta_test_answers {
    const char *csv;            /* the file to write; NULL: none */
    struct meta_word_list with; /* the files to read */
    double **log_odds;          /* (with.count), NULL before they are read */
    double *temper;             /* (1 + with.count), or NULL */
    int fit;                    /* whether their temperature is to be told */
};
/* Refuses a method without probabilities, outputs that would be written over something else, and a
   temperature of rare classes. The caller clears. */
int meta_test_answers_prepare(struct meta_test_answers *, const struct meta_test_request *,
                              const struct meta_data *, struct meta_evaluation *,
                              struct meta_error *);
/* Reads the files, and has the evaluation take them. */
int meta_test_answers_load(struct meta_test_answers *, struct meta_evaluation *,
                           const struct meta_dataset *, const struct meta_data *,
                           struct meta_pool *, struct meta_error *);
/* All ranks keep their answers where rank 0 is to write them: the -csv of another has no effect. */
int meta_test_answers_share(struct meta_transport *, struct meta_evaluation *, struct meta_error *);
/* Writes the file that -csv names, if any. */
int meta_test_answers_write(const struct meta_test_answers *, const struct meta_run *runs,
                            const struct meta_evaluation *, const struct meta_dataset *,
                            struct meta_error *);
/* Prints the temperature that -fit_temperature asks for, if it does. Fails where there is none. */
int meta_test_answers_tell(const struct meta_test_answers *, const struct meta_run *runs,
                           const struct meta_evaluation *, struct meta_error *);
void meta_test_answers_clear(struct meta_test_answers *);

#endif
