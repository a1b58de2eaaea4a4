/* Paths as text, and the folders that they name. */
#ifndef META_PATH_H
#define META_PATH_H

#include <stddef.h>
#include "error.h"

/* What stands behind the last slash of `path`; `path` itself where there is none. Points into
   `path`. */
const char *meta_path_base(const char *path);
/* Whether a path can be of a folder alone: its last part is empty, . or .. */
int meta_path_ends_in_folder(const char *path);
/* The length of that name without its extension: 3 of "a/b.c/net.cfg". A name that begins with its
   only dot has no extension. */
size_t meta_path_stem_length(const char *path);
/* "daml-4conv" of "cfg/daml-4conv.cfg". The caller frees; NULL when there is no memory. */
char *meta_path_stem(const char *path);
/* The folder that `path` lies in: "cfg" of "cfg/a.cfg", "." of "a.cfg", "/" of "/a". The caller
   frees; NULL when there is no memory. */
char *meta_path_folder(const char *path);
/* The file that is written where `path` is: what it is a link to, whether or not that is there, or
   itself where it is no link. The caller frees; NULL: errno says why. */
char *meta_path_target(const char *path);
/* Whether both are one name of one folder, which is there, whether or not a file of it is: "a/x"
   and "./a/x". Another name of a file that is there: tasks/file_id.h. */
int meta_path_same(const char *, const char *);
/* The file of that extension beside `path`, of the same stem: "cfg/net.names" of "cfg/net.data" and
   ".names". The caller frees; NULL when there is no memory. */
char *meta_path_beside(const char *path, const char *extension);
/* The file that belongs to weights: ".weights" at the end is replaced by the extension, which is
   else put behind: what belongs to net_final.backup, of a training net_final, does not to
   net_final.weights. The caller frees; NULL: no memory. */
char *meta_path_of_weights(const char *weights, const char *extension);
/* Takes slashes off the end of `path`, but leaves "/". */
void meta_path_trim(char *path);
/* Makes the folder `path` and those above it that are missing. A folder that is there is no error;
   another file of that name is. A failure removes again those that it has made. The message names
   `path` and the reason. */
int meta_path_make_folder(const char *path, struct meta_error *);

#endif
