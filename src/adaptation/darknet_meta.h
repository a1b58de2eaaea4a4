/* libdarknet-meta: a meta-trained network, adapted to a handful of labelled images, as a classifier
   of more of them.

   darknet_meta_model *model;
   darknet_meta_classifier *classifier;
   darknet_meta_error error;
   darknet_meta_support support = { images, labels, 6, 2 };
   if (darknet_meta_load(&model, "daml-4conv.cfg", "daml-4conv_final.weights", &error)
       || darknet_meta_adapt(&classifier, model, &support, DARKNET_META_STEPS, &error)
       || darknet_meta_predict(classifier, &image, 1, DARKNET_META_SUPPORT, probabilities, &error))
       puts(error.text);

   Functions that can fail return 0, or -1 with one line for a person in *error, which may be NULL.
   What they make is NULL then. A NULL for what a function can't do without, an array of no images
   or a name that is empty is such a failure. Nothing is printed, and no function ends the process:
   without memory they fail. One case is out of our hands: oneDNN does not look whether its own
   small allocations succeed, and ends by SIGSEGV where they do not. So before it makes anything
   there is a look whether 16 MB can be had, and 2 MB are kept in the thread's heap; it then takes
   other threads that use up all else at the moment when code is generated, which the first
   classifier of a process does: under a tight limit, make one before threads begin. Any number of
   threads may call at once, also with the same model and classifiers, which are only read; each
   darknet_meta_adapt makes a new classifier. An object is freed by one thread, when no other uses
   it any more. After fork() in a process of which another thread is in the library, the child must
   not call it. Work is done on the calling thread: OpenCV is set to one
   thread (cv::setNumThreads) for the whole process when the first image of bytes is shrunk. Numbers
   in files have a decimal point in every locale. No pointer that is handed in is kept. A process
   loads plugins once, from darknet-meta/plugins beside the library and from the folders of
   DARKNET_PLUGIN_PATH. */
#ifndef DARKNET_META_H
#define DARKNET_META_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library and of the program. The major number is that of the soname; it changes
   when programs must be compiled again. */
#define DARKNET_META_VERSION_MAJOR 1
#define DARKNET_META_VERSION_MINOR 1
#define DARKNET_META_VERSION_PATCH 0
#define DARKNET_META_VERSION (DARKNET_META_VERSION_MAJOR * 1000 + DARKNET_META_VERSION_MINOR)

#if defined __GNUC__
#define DARKNET_META_API __attribute__((visibility("default")))
#else
#define DARKNET_META_API
#endif

typedef struct darknet_meta_model darknet_meta_model;
typedef struct darknet_meta_classifier darknet_meta_classifier;
typedef struct darknet_meta_error {
    char text[480];
} darknet_meta_error;

/* How an image lies in memory; channels are the network's: 3 (red, green, blue) or 1 (gray). */
enum darknet_meta_pixels {
    DARKNET_META_BYTES, /* unsigned char (height, width, channels), rows without padding, of any
                           size: the image is shrunk and its middle taken, as `darknet meta predict`
                           does with an image file. The image is upright: a program that decodes
                           files turns it as their EXIF data say, unless [net] has
                           orientation=stored */
    DARKNET_META_FLOATS /* float (channels, height, width) in [0,1], as in Darknet's struct image,
                           of the network's size */
};
typedef struct darknet_meta_image {
    enum darknet_meta_pixels kind;
    int width, height, channels;
    const void *pixels;
} darknet_meta_image;

/* The statistics that normalise the images of a prediction, in a network with batch_normalize. */
enum darknet_meta_statistics {
    DARKNET_META_SUPPORT, /* those of the images that the classifier was adapted to: an image's
                             answer depends on that image alone, but for rounding, which differs
                             with the number of images of a call: log-odds by about 1e-6 of the
                             largest of them, such as 4e-5 where a prototypical network's are 80 */
    DARKNET_META_RUNNING, /* the rolling statistics of the meta-training; answers depend on their
                             images alone as closely */
    DARKNET_META_BATCH /* those of all images of the call, as in the method's paper; a call has at
                          least 2 */
};

#define DARKNET_META_STEPS (-1) /* as many as the .cfg's test_steps */

/* DARKNET_META_VERSION of the library that runs, which may be newer than this header. */
DARKNET_META_API int darknet_meta_version(void);

/* Reads a .cfg of `darknet meta train` and the weights it wrote, and STEM.temperature where that
   lies beside STEM.weights (`darknet meta calibrate` makes it): classifiers of as many classes and
   steps as it is of, learned by the same inner loop, then have its temperature, which makes their
   probabilities as sure as they are right. One of other weights is an error. The caller frees. */
DARKNET_META_API int darknet_meta_load(darknet_meta_model **, const char *cfg, const char *weights,
                                       darknet_meta_error *);
/* NULL is allowed; classifiers of the model stay good. */
DARKNET_META_API void darknet_meta_free(darknet_meta_model *);
/* Of the network's input; -1 for NULL. */
DARKNET_META_API int darknet_meta_width(const darknet_meta_model *);
DARKNET_META_API int darknet_meta_height(const darknet_meta_model *);
DARKNET_META_API int darknet_meta_channels(const darknet_meta_model *);
/* The most classes of a classifier; -1 for NULL. */
DARKNET_META_API int darknet_meta_most_classes(const darknet_meta_model *);

/* The images to adapt to: images (count) and labels (count), 0..classes-1, none in two classes,
   with at least one image of each class. classes is 2 to darknet_meta_most_classes. */
typedef struct darknet_meta_support {
    const darknet_meta_image *images;
    const int *labels;
    int count, classes;
} darknet_meta_support;

/* Adapts by `steps` gradient steps, 0 to 1000, or DARKNET_META_STEPS. Each class counts the same in
   the loss that they lower, however many images it has. The same images give the same
   classifier, bit for bit. The caller frees. */
DARKNET_META_API int darknet_meta_adapt(darknet_meta_classifier **, const darknet_meta_model *,
                                        const darknet_meta_support *, int steps,
                                        darknet_meta_error *);
DARKNET_META_API void darknet_meta_classifier_free(darknet_meta_classifier *); /* NULL is allowed */
DARKNET_META_API int darknet_meta_classes(const darknet_meta_classifier *);    /* -1 for NULL */
/* The mean over the classes of the mean cross-entropy of each one's images, before and after the
   adaptation, without the temperature that its answers have; either pointer may be NULL. NaN for a
   classifier that is NULL. */
DARKNET_META_API void darknet_meta_losses(const darknet_meta_classifier *, double *before,
                                          double *after);

/* probabilities (count, classes); those of an image add up to 1. One that is no number, as of
   weights that are damaged, is an error. */
DARKNET_META_API int darknet_meta_predict(const darknet_meta_classifier *,
                                          const darknet_meta_image *images, int count,
                                          enum darknet_meta_statistics, float *probabilities,
                                          darknet_meta_error *);

/* The same prediction as log-odds (count, classes), log(p / (1 - p)) of each probability p, from
   the network's outputs in double: they rank images, for an ROC curve or a threshold, where a float
   has rounded p to 1. */
DARKNET_META_API int darknet_meta_log_odds(const darknet_meta_classifier *,
                                           const darknet_meta_image *images, int count,
                                           enum darknet_meta_statistics, double *log_odds,
                                           darknet_meta_error *);

/* Writes NAME.weights, then NAME.cfg, both or neither: where one of them can't be written, as on a
   full disk, the files that were there stay. They have stock sections alone and
   the statistics, which must not be DARKNET_META_BATCH, as rolling ones, in the form that
   `darknet meta adapt` writes: Darknets and OpenCV give the same answers, but for those that a
   comment of NAME.cfg names. All normalisation but the first convolution's is folded into the
   weights. Files of that name are written over only where they are of an adapted network: of such
   a .cfg the first line says so. NAME.data, NAME.names and NAME.onnx, which `darknet meta adapt`
   writes, too, would go on with the names of another classifier: where one is there this fails.
   Threads save one after the other; processes that save one name at once must take turns. */
DARKNET_META_API int darknet_meta_save(const darknet_meta_classifier *, const char *name,
                                       enum darknet_meta_statistics, darknet_meta_error *);
/* Makes a classifier of such files, or of any whose layers `darknet meta` knows, but not of a
   meta-trained network that is not adapted, whose outputs are no classes yet. NAME.weights that are
   not those that NAME.cfg beside it was written with, which its comment "weights" has the digest
   of, are an error, as they may be another classifier's; weights of another name, such as of a
   training that went on, are taken. The statistics of
   the file are both its SUPPORT and its RUNNING ones, its BATCH ones are of the layers whose
   normalisation was not folded, and its losses are NaN. The caller frees with
   darknet_meta_classifier_free. */
DARKNET_META_API int darknet_meta_open(darknet_meta_classifier **, const char *cfg,
                                       const char *weights, darknet_meta_error *);

/* ---- since version 1.1: DARKNET_META_VERSION 1001 -------------------------------------------- */

#define DARKNET_META_LAST_LAYER (-1) /* the one whose output the last [connected] reads */

/* Which layer's output is wanted, counted from 0 in the .cfg without [net], or
   DARKNET_META_LAST_LAYER; and what normalises the images on the way. */
typedef struct darknet_meta_layer {
    int number;
    enum darknet_meta_statistics statistics;
} darknet_meta_layer;

/* Writes to *size how many numbers that layer gives for an image. */
DARKNET_META_API int darknet_meta_feature_size(const darknet_meta_model *, int layer, int *size,
                                               darknet_meta_error *);
DARKNET_META_API int darknet_meta_classifier_feature_size(const darknet_meta_classifier *,
                                                          int layer, int *size,
                                                          darknet_meta_error *);
/* Fills features (count, size), planar (channels, height, width) an image, as `darknet meta
   features` writes them, and its test's methods knn and svm compare them. A model has no
   DARKNET_META_SUPPORT statistics. */
DARKNET_META_API int darknet_meta_features(const darknet_meta_model *, const darknet_meta_layer *,
                                           const darknet_meta_image *images, int count,
                                           float *features, darknet_meta_error *);
DARKNET_META_API int darknet_meta_classifier_features(const darknet_meta_classifier *,
                                                      const darknet_meta_layer *,
                                                      const darknet_meta_image *images, int count,
                                                      float *features, darknet_meta_error *);

/* A figure with its 95% interval; NaN where there is none. */
typedef struct darknet_meta_interval {
    double value, low, high;
} darknet_meta_interval;

/* The area under the ROC curve of scores (count) by labels (count): the chance that an image
   labelled 1 scores above one labelled 0, a tie counting half; images of other labels do not count.
   groups (count): images of one number, such as those of a patient, are not independent, and the
   interval is over groups, as `darknet meta evaluate` has it; NULL: each image is by itself. Time
   grows with count times its logarithm. */
DARKNET_META_API int darknet_meta_auc(const double *scores, const int *labels, const int *groups,
                                      int count, darknet_meta_interval *auc, darknet_meta_error *);

#ifdef __cplusplus
}
#endif
#endif
