/* What the parts of the doctor share: what was read so far, and how a finding is said. */
#ifndef META_DOCTOR_SAY_H
#define META_DOCTOR_SAY_H

#include <stdarg.h>

#include "base/child.h"
#include "config/model.h"
#include "network/filled.h"
#include "tasks/data_open.h"
#include "tasks/dataset.h"

enum meta_verdict { META_OK, META_WARNING, META_WRONG };

/* What was found of one list of the .data file. */
struct meta_list_report {
    const char *name, *path;  /* "train"; path NULL: the .data file has no such list */
    struct meta_dataset *set; /* without pixels; NULL: the list could not be read */
    struct meta_survey survey;
    double seconds; /* that reading and decoding took */
};
enum { META_LIST_TRAIN, META_LIST_VALID, META_LIST_TEST, META_LISTS };

/* What is to be run. */
enum meta_doctor_task {
    META_DOCTOR_TRAIN,
    META_DOCTOR_PRETRAIN,
    META_DOCTOR_ADAPT,
    META_DOCTOR_PREDICT
};

struct meta_doctor {
    enum meta_doctor_task task;
    const char *data_path, *cfg_path; /* data_path: of adapt a folder or a CSV, too */
    const char *weights_path;         /* NULL: there are none */
    struct meta_data_flags flags;     /* of a folder or a CSV */
    char **words;                     /* (word_count) of predict: images, lists and folders */
    int word_count;
    int clear;         /* of a training: as if the weights had seen no images */
    int threads;       /* that the training will have */
    double seconds;    /* for which each kind of iteration is timed */
    const char *merge; /* groups file to write, with images that look alike in one group; or NULL */
    double load;       /* processors that were busy in the last minute */
    /* Gets one finding at a time: the subject is one word, the text one line without its end. */
    void (*print)(void *context, enum meta_verdict, const char *subject, const char *format,
                  va_list arguments);
    void *context;

    int count[META_WRONG + 1]; /* findings by verdict */
    struct meta_model *model;  /* NULL: it could not be read */
    struct meta_data *data;    /* NULL: it could not be read */
    struct meta_filled filled; /* what weights_path has; parameters NULL: it could not be read */
    int done;                  /* iterations that a training with these weights counts as made */
    struct meta_child *child;  /* process of the dry run; NULL: there is none */
    struct meta_list_report list[META_LISTS];
    double reading; /* bytes that decoding took besides the images */
};

/* Prints one finding and counts it. The text of what is wrong also says how to mend it. */
void meta_doctor_say(struct meta_doctor *, enum meta_verdict, const char *subject,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
