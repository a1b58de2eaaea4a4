/* Links to images in a folder a class, for images whose own paths do not tell their classes. */
#ifndef META_CLASS_LINKS_H
#define META_CLASS_LINKS_H

#include "labelled.h"

/* The names of the folders: those of the classes, with _ for what a folder's name can't have, and a
   number behind what is no other's. The caller frees each, and the array; NULL: no memory. */
char **meta_class_folders(const struct meta_labelled *);
/* Makes FOLDER/CLASS/NAME for each image, a symbolic link to its file by its whole path; a number
   is put behind a name that is taken. *links (count): their paths, which the caller frees, also
   after a failure. Folders that are there must be empty or, with `replace`, have nothing but links,
   which are removed. */
int meta_class_links(char ***links, const struct meta_labelled *, char *const *folders,
                     const char *folder, int replace, struct meta_error *);

#endif
