/* Text of others in messages, which are one line. */
#ifndef META_ONE_LINE_H
#define META_ONE_LINE_H

/* Replaces control characters, U+0080 to U+009F among them, by question marks, in place. */
void meta_one_line(char *text);

#endif
