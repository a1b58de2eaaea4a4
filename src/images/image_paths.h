/* The images that words of a command line name. */
#ifndef META_IMAGE_PATHS_H
#define META_IMAGE_PATHS_H

#include "base/error.h"

struct meta_paths { char **path; int count; };

/* Each word is a folder: its files whose names end as images do (.jpg .jpeg .png .bmp .pgm .ppm in either case), by name, not those of folders
   in it; a list, when it ends in .list or .txt: a path a line; or else an image, which need not be there. None at all is an error. The caller
   clears, also after a failure. */
int  meta_paths_find(struct meta_paths *, char **words, int count, struct meta_error *);
void meta_paths_clear(struct meta_paths *);

/* FOLDER/BASE.EXT for FROM/BASE.xyz; out has room for both and the extension. */
void meta_path_name(const char *folder, const char *path, const char *extension, char *out);
/* Refuses two paths that would have one such name. */
int  meta_paths_check_names(const struct meta_paths *, const char *folder, struct meta_error *);

#endif
