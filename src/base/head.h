/* How a file begins, to tell one's own from those of others. */
#ifndef META_HEAD_H
#define META_HEAD_H

#include <stddef.h>

/* Reads the first bytes of a file, at most `room`. Returns how many there are: 0 where the file is
   empty, is not there, or can't be read. */
size_t meta_head_read(const char *path, char *bytes, size_t room);
/* Whether a file begins with `text`, at most META_HEAD_MOST bytes; blanks and line ends of both do
   not count, so that the JSON of another printer is known, too. */
#define META_HEAD_MOST 1000
int meta_head_is(const char *path, const char *text);
/* Reads the first line without its end, or as much of it as there is room for; "" where there is
   none. Returns line. */
char *meta_head_line(const char *path, char *line, size_t room);
/* Whether something would be lost if the file were replaced: it is there and not empty, or can't be
   read. */
int meta_head_there(const char *path);

#endif
