/* Which files of an adapted network may be written over: those of another adapted one. */
#ifndef META_OWN_FILES_H
#define META_OWN_FILES_H

/* In the first line of the .cfg of an adapted network: `meta adapt` writes ", adapted to 6 images
   of LIST: 5 steps at ...", the library ends it with its words. */
#define META_ADAPTED ", adapted to "
#define META_ADAPTED_IN_MEMORY META_ADAPTED "images by libdarknet-meta"
/* Whether this is such a line. */
int meta_own_line(const char *);

/* Whether NAME + end is there. */
int meta_own_files_there(const char *name, const char *end);
/* Which of NAME.cfg, NAME.weights and, where it is to be written, NAME.onnx is there and of
   something else: its end, as ".cfg". NULL: none is. Of the last two NAME.cfg says whose they are;
   a run that was killed between the first two has left NAME.lock with a note: a lock alone proves
   nothing. */
const char *meta_own_files_foreign(const char *name, int onnx);
/* Which of NAME.data, NAME.names and NAME.onnx is there: who writes NAME.cfg and NAME.weights alone
   would leave it with the names or the answers of another classifier. NULL: none is. */
const char *meta_own_files_beside(const char *name);

#endif
