/* What the commands that take long print as they go, on standard output but for warnings. */
#ifndef META_CONSOLE_H
#define META_CONSOLE_H

#include "tasks/dataset.h"
#include "training/train_log.h"

/* Prints "100: 0.412 meta-loss, 0.512 query loss, 78.3% accuracy, 0.001000 rate, 0.81 seconds,
   40 min left"; of a training on images, one "loss". remaining: seconds. */
void meta_print_row(enum meta_training_kind, const struct meta_row *, double remaining);
/* Says what became of a list's cache file, where it was written or could not be. */
void meta_tell_cache(const struct meta_dataset *);
/* Says how many answers a temperature is learned without, if any. */
void meta_tell_left_out(int answers);
/* Warns on standard error of images of a list that are in no group, where there are groups. */
void meta_warn_groupless(const struct meta_data *, const struct meta_dataset *);
/* Warns on standard error of learned inner rates beside the weights, where the .cfg has fixed ones
   and leaves them aside. */
void meta_warn_rates(const struct meta_inner_settings *, const char *weights);
/* Says how many images of a list are copies of others, where there are such images. */
void meta_tell_copies(const struct meta_dataset *);
/* Warns on standard error where images of a list are also in the list that is trained on. */
void meta_warn_shared(const struct meta_dataset *, const struct meta_dataset *trained);
/* The same by the path of that list; one that isn't on this machine any more tells nothing. */
void meta_warn_trained(const struct meta_dataset *, const char *list, struct meta_pool *);

/* Says what range the 16-bit files of a list have, where there are such. */
void meta_tell_depth(const struct meta_data *, const struct meta_dataset *);

/* The state of a training, which stands under its lines. */
struct meta_status {
    uint64_t done, total;                   /* iterations */
    double query_loss, meta_loss, accuracy; /* means over the last iterations */
    double rate;                            /* of the last iteration */
    double remaining;                       /* seconds */
    double auc, low, high;                  /* the last valid AUC and its interval; NaN: none yet */
};
/* Writes "[===>    ]  420/3000 14%  14 min left  loss 0.509  AUC 0.723 (0.701 to 0.745)  rate 0.001
   meta-loss 0.412  73.3% right", one line, into out (size bytes) in at most `width` characters:
   what does not fit is left out, the last first, and the bar has what room there is. Returns the
   length. */
int meta_format_status(char *out, int size, int width, const struct meta_status *);
/* Prints that on the terminal's last line, over itself; nothing where standard output is no
   terminal. */
void meta_print_status(const struct meta_status *);

/* Prints a bar of `done` of `total` over itself; where standard output is no terminal, a line every
   ten minutes. `done` rises from call to call, unless something else begins. */
void meta_print_bar(uint64_t done, uint64_t total);
/* Takes a status line or a bar off the terminal. */
void meta_clear_bar(void);

#endif
