/* Finds the images that the words of a command line name, and the names of files that are made of
   them. */
#ifndef META_IMAGE_PATHS_H
#define META_IMAGE_PATHS_H

#include "base/error.h"

struct meta_paths {
    char **path; /* (count) */
    int count;
    char **other; /* (others) files in the folders whose names end otherwise */
    int others, folders;
};

/* Each word names a folder, a list or an image. A folder stands for the files in it whose names end
   as images do (META_IMAGE_ENDINGS, in either case), or that have no ending and are DICOM, in the
   order of their names, but not for those of folders in it; its other files are listed too, but for
   hidden ones. A word that ends in .list or .txt is a list, which has a path on each line. Every
   other word is an image, which need not be there. A folder or list without any image is an error.
   The caller clears the paths, also after a failure. */
int meta_paths_find(struct meta_paths *, char **words, int count, struct meta_error *);
void meta_paths_clear(struct meta_paths *);

/* Whether a file is an image by the end of its name, or, where it has none, is DICOM; and these
   ends, for messages. */
int meta_path_is_image(const char *path);
#define META_IMAGE_ENDINGS                                                                         \
    ".jpg, .jpeg, .png, .bmp, .pgm, .ppm, .tif, .tiff, .webp, .jp2, .j2k, .j2c, .dcm"

/* FOLDER/BASE.EXT for the path FROM/BASE.xyz, FOLDER/BASE[3].EXT for FROM/BASE.xyz[3]. An ending of
   digits alone, as UIDs have, belongs to BASE. The caller frees; NULL when there is no memory. */
char *meta_path_name(const char *folder, const char *path, const char *extension);
/* Fails where two of the paths would have the same such name. */
int meta_paths_check_names(const struct meta_paths *, const char *folder, struct meta_error *);

#endif
