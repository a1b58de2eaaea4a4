/* The pictures of `meta predict -heat`: each image with where the network saw its class. */
#ifndef META_HEAT_PICTURES_H
#define META_HEAT_PICTURES_H

#include "adaptation/heat.h"
#include "classifier.h"
#include "images/image_paths.h"
#include "tasks/data_file.h"

/* Zeroed but for the folder, it has no memory. */
struct meta_heat_pictures {
    const char *folder; /* where they go; NULL: none are made, and nothing else is set */
    const struct meta_classifier *classifier;
    const struct meta_data *data;
    struct meta_heat *heat;
    float *map, *picture;
};
/* Makes the folder. Refuses one where a picture would overwrite one of the images, or what is no
   such picture. The classifier is open and filled; it and the data are kept by the caller, who
   clears, also after a failure. */
int meta_heat_pictures_open(struct meta_heat_pictures *, const struct meta_classifier *,
                            const struct meta_data *, const struct meta_paths *,
                            struct meta_error *);
/* Writes FOLDER/NAME.png of the image at `path`, as the network saw it in image (c, h, w), with the
   heat of the class. */
int meta_heat_pictures_write(struct meta_heat_pictures *, const char *path, const float *image,
                             int class, struct meta_error *);
void meta_heat_pictures_clear(struct meta_heat_pictures *);

#endif
