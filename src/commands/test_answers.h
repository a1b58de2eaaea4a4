/* The flags -csv and -with of `meta test`: answers that are written, and those of other tests that
   are averaged with the method's. */
#ifndef META_TEST_ANSWERS_H
#define META_TEST_ANSWERS_H

#include "evaluation/method.h"
#include "transport/transport.h"
#include "word_list.h"

struct meta_test_answers {
    const char *csv;            /* the file to write; NULL: none */
    struct meta_word_list with; /* the files to read */
    double **log_odds;          /* (with.count), NULL before they are read */
};
/* csv, with: the flags' values, or NULL. out: the -out of the test, or NULL. Refuses a method
   without probabilities, and outputs that would be written over something else. The caller
   clears. */
int meta_test_answers_prepare(struct meta_test_answers *, const char *csv, const char *with,
                              const char *out, struct meta_evaluation *, struct meta_error *);
/* Reads the files, and has the evaluation take them. */
int meta_test_answers_load(struct meta_test_answers *, struct meta_evaluation *,
                           const struct meta_dataset *, struct meta_error *);
/* All ranks keep their answers where rank 0 is to write them: the -csv of another has no effect. */
int meta_test_answers_share(struct meta_transport *, struct meta_evaluation *, struct meta_error *);
/* Writes the file that -csv names, if any. */
int meta_test_answers_write(const struct meta_test_answers *, const struct meta_run *runs,
                            const struct meta_evaluation *, const struct meta_dataset *,
                            struct meta_error *);
void meta_test_answers_clear(struct meta_test_answers *);

#endif
